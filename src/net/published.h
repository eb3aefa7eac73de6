// Published<T>: a value that one thread replaces and worker threads read without a lock and without
// a shared counter: each reader marks what it holds (a hazard pointer), the writer frees an old
// value once no reader marks it. A reader takes the value once a batch, not once a packet.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"

namespace timepool::net {

template <class T>
class Published {
  // A cache line each: a reader's store must not disturb the others.
  struct alignas(64) Mark {
    std::atomic<const T*> value{nullptr};
    std::atomic<bool> claimed{false};
  };

 public:
  // Readers at the same time; workers are limited by it.
  static constexpr std::size_t kMaxReaders = 128;

  explicit Published(std::unique_ptr<const T> first) : current_(first.release()) {
    CHECK(current_.load() != nullptr);
  }
  Published(const Published&) = delete;
  Published& operator=(const Published&) = delete;
  // No reader may be left.
  ~Published() {
    delete current_.load();
    for (const T* old : retired_) delete old;
  }

  // One thread at a time.
  void publish(std::unique_ptr<const T> next) {
    CHECK(next != nullptr);
    retired_.push_back(current_.exchange(next.release()));
    std::erase_if(retired_, [this](const T* old) {
      if (in_use(old)) return false;
      delete old;
      return true;
    });
  }
  // For the publishing thread.
  const T& current() const { return *current_.load(); }
  std::size_t retired() const { return retired_.size(); }

  class Reader {
   public:
    explicit Reader(Published& from) : from_(&from), mark_(&from.claim()) {}
    Reader(Reader&& other) noexcept
        : from_(other.from_), mark_(std::exchange(other.mark_, nullptr)) {}
    Reader& operator=(Reader&&) = delete;
    ~Reader() {
      if (mark_ == nullptr) return;
      mark_->value.store(nullptr);
      mark_->claimed.store(false);
    }
    // The newest value; it stays until the next call.
    const T& acquire() {
      for (;;) {
        const T* value = from_->current_.load();
        mark_->value.store(value);
        // Once marked and still current, the writer sees the mark before it could free it.
        if (from_->current_.load() == value) return *value;
      }
    }

   private:
    Published* from_;
    Mark* mark_;
  };

 private:
  Mark& claim() {
    std::size_t index = 0;
    for (bool free = false; !marks_[index].claimed.compare_exchange_strong(free, true);
         free = false) {
      ++index;
      CHECK(index < kMaxReaders);
    }
    return marks_[index];
  }
  bool in_use(const T* value) const {
    for (const Mark& mark : marks_) {
      if (mark.value.load() == value) return true;
    }
    return false;
  }

  std::atomic<const T*> current_;
  std::vector<const T*> retired_;
  std::array<Mark, kMaxReaders> marks_{};
};

}  // namespace timepool::net
