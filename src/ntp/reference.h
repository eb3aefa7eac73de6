// Reference: the time that is made from the members: selects among them, gives each its status, and
// keeps what is known of the reference.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ntp/members.h"
#include "ntp/outbox.h"
#include "ntp/selection.h"
#include "ntp/source_report.h"
#include "ntp/source_table.h"

namespace timepool::ntp {

class Reference {
 public:
  // How many must agree, and the drift that the bound grows with.
  Reference(std::size_t min_sources, std::int64_t clock_error_ppb)
      : min_sources_(min_sources), clock_error_ppb_(clock_error_ppb) {}

  // Selects anew and sets the members' statuses.
  void update(const SourceTable& sources, Members& members, LocalTime now, Outbox& out);
  // True time jumped against raw time.
  void handle_leap(Duration step) {
    tracking_.offset += step;
    tracking_.clock.offset += step;
  }
  // How many agree; 0 without a majority.
  std::size_t survivors() const { return tracking_.survivors; }
  Tracking tracking(MonoTime now) const;

 private:
  void set_status(Member& member, SourceStatus status, Outbox& out) const;
  void take(const Selection& selection, const Members& members,
            std::span<const std::size_t> indices, LocalTime now, Outbox& out);

  std::size_t min_sources_;
  std::int64_t clock_error_ppb_;
  Tracking tracking_;
};

}  // namespace timepool::ntp
