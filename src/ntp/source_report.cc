#include "ntp/source_report.h"

namespace timepool::ntp {

std::string_view name_of(SourceStatus status) {
  switch (status) {
    case SourceStatus::kSelected:
      return "selected";
    case SourceStatus::kCombined:
      return "combined";
    case SourceStatus::kNotCombined:
      return "not_combined";
    case SourceStatus::kFalseticker:
      return "falseticker";
    case SourceStatus::kTooVariable:
      return "too_variable";
    case SourceStatus::kSmeared:
      return "smeared";
    case SourceStatus::kUnusable:
      break;
  }
  return "unusable";
}

SourceStatus status_of(Cause cause) {
  switch (cause) {
    case Cause::kSelected:
      return SourceStatus::kSelected;
    case Cause::kCombined:
      return SourceStatus::kCombined;
    case Cause::kTooFarToCombine:
    case Cause::kNotPreferred:
    case Cause::kDistrusted:
    case Cause::kContested:
      return SourceStatus::kNotCombined;
    case Cause::kFalseticker:
      return SourceStatus::kFalseticker;
    case Cause::kTooVariable:
      return SourceStatus::kTooVariable;
    case Cause::kSmeared:
      return SourceStatus::kSmeared;
    default:
      return SourceStatus::kUnusable;
  }
}

}  // namespace timepool::ntp
