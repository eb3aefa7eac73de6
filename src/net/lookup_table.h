// LookupTable: the look-ups that a resolver has under way, their deadlines, and the results that
// wait for their callbacks. Shared by the back ends of Resolver; one thread.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>

#include "net/resolver.h"

namespace timepool::net {

class LookupTable {
 public:
  struct Added {
    LookupId id = 0;
    bool started = false;  // false: it was answered on the spot
  };
  // An address, a bad name and one look-up too many are answered on the spot.
  Added add(std::string_view name, LookupFamily family, MonoTime deadline,
            Resolver::Callback callback);
  // The result of a look-up, to be told by run_callbacks(). One that ended before is ignored.
  void finish(LookupId id, LookupResult result);
  void cancel(LookupId id);
  bool pending(LookupId id) const { return lookups_.contains(id); }
  // One whose deadline has passed, or 0.
  LookupId expired(MonoTime now) const;
  MonoTime next_deadline() const;
  void run_callbacks();

 private:
  struct Lookup {
    MonoTime deadline;
    Resolver::Callback callback;
  };
  struct Ready {
    LookupId id;
    Resolver::Callback callback;
    LookupResult result;
  };

  // Deadlines are all the same time after the start, so the first's is the earliest.
  std::map<LookupId, Lookup> lookups_;
  std::deque<Ready> ready_;
  LookupId next_ = 1;
};

// Adds `address` unless it is there or there are too many.
void add_address(LookupResult& result, const IpAddress& address);

}  // namespace timepool::net
