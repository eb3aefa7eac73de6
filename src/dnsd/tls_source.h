// TlsSource: where connections get the newest certificates from; each keeps those that it began
// with. Any thread.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "net/tls_context.h"

namespace timepool::dnsd {

class TlsSource {
 public:
  void set(std::shared_ptr<const net::TlsServerContext> next) {
    const std::lock_guard lock(mutex_);
    context_ = std::move(next);
  }
  // Null before the first.
  std::shared_ptr<const net::TlsServerContext> get() const {
    const std::lock_guard lock(mutex_);
    return context_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const net::TlsServerContext> context_;
};

}  // namespace timepool::dnsd
