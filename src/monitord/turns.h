// Turns: at most so many tasks at a time; the others wait, and begin in the order they came.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <utility>

namespace timepool::monitord {

// A Task is made of a Work and has begin(). How many wait is the caller's to bound, by
// outstanding(). Of one thread.
template <class Work, class Task>
class Turns {
 public:
  // `make` gets what over() is to be called with.
  using Make = std::function<std::unique_ptr<Task>(std::uint64_t id, Work work)>;

  Turns(int most, Make make) : most_(static_cast<std::size_t>(most)), make_(std::move(make)) {}

  // It begins now or when one of the others is over.
  void add(Work work) {
    if (active_.size() < most_) {
      begin(std::move(work));
    } else {
      waiting_.push_back(std::move(work));
    }
  }
  // The task is gone, and the next one has begun.
  void over(std::uint64_t id) {
    active_.erase(id);
    if (waiting_.empty()) return;
    Work next = std::move(waiting_.front());
    waiting_.pop_front();
    begin(std::move(next));
  }
  // Under way or waiting.
  std::size_t outstanding() const { return active_.size() + waiting_.size(); }

 private:
  void begin(Work work) {
    const std::uint64_t id = next_id_++;
    auto& task = active_[id];
    task = make_(id, std::move(work));
    task->begin();
  }

  const std::size_t most_;
  const Make make_;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, std::unique_ptr<Task>> active_;
  std::deque<Work> waiting_;
};

}  // namespace timepool::monitord
