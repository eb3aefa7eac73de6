// StepLog: the steps of something that a command does and shows: as text one by one, or as one JSON
// object at the end.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "base/duration.h"

namespace timepool::cli {

struct Step {
  std::string name;
  std::string failure;  // "" when it went well
  Duration took;
  std::vector<std::string> lines;
  boost::json::object facts;

  bool ok() const { return failure.empty(); }
};

class StepLog {
 public:
  explicit StepLog(bool as_json) : as_json_(as_json) {}

  // Shows it; whether it went well.
  bool add(const Step& step);
  // What failed was one of several ways, and now another is tried: the last one counts.
  void begin_another();
  // The steps so far, with which one failed; empty when as text.
  boost::json::object json() const;
  bool ok() const { return failed_step_.empty(); }

 private:
  bool as_json_;
  boost::json::array steps_;
  std::string failed_step_;  // of the way that is tried now
  std::string failure_;
};

// "tls      TLSv1.3 ... (3.2ms)" and further lines below it.
std::string text_of(const Step& step);

}  // namespace timepool::cli
