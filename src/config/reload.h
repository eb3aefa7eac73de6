// Reading a daemon's settings again while it runs.
#pragma once

#include <string>
#include <utility>

#include "config/schema.h"
#include "sys/notify.h"

namespace timepool::config {

// As load(); systemd is told that it happens. Errors: kInvalid with every problem.
template <class T>
Result<T> load_again(const Schema<T>& schema, const std::string& path) {
  sys::notify_reloading();
  auto read = load(schema, path);
  sys::notify_ready("running");
  if (!read.ok()) return fail(Error{ErrorCode::kInvalid, "reload", format(read.error())});
  return std::move(read).value();
}

}  // namespace timepool::config
