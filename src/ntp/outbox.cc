#include "ntp/outbox.h"

namespace timepool::ntp {

std::string_view name_of(EventKind kind) {
  switch (kind) {
    case EventKind::kReachable:
      return "reachable";
    case EventKind::kUnreachable:
      return "unreachable";
    case EventKind::kKiss:
      return "kiss";
    case EventKind::kReplaced:
      return "replaced";
    case EventKind::kFalseticker:
      return "falseticker";
    case EventKind::kTruechimer:
      return "truechimer";
    case EventKind::kSmeared:
      return "smeared";
    case EventKind::kSelected:
      return "selected";
    case EventKind::kNoMajority:
      return "no_majority";
    case EventKind::kOutage:
      return "outage";
    case EventKind::kOutageOver:
      return "outage_over";
    case EventKind::kClockStepped:
      return "clock_stepped";
    case EventKind::kClockSet:
      return "clock_set";
    case EventKind::kClockRefused:
      return "clock_refused";
    case EventKind::kClockFailed:
      return "clock_failed";
    case EventKind::kClockForeign:
      return "clock_foreign";
    case EventKind::kResumed:
      return "resumed";
    case EventKind::kLeap:
      return "leap";
    case EventKind::kCertificate:
      break;
  }
  return "certificate";
}

}  // namespace timepool::ntp
