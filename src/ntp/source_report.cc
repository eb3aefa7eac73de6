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
    case SourceStatus::kUnusable:
      break;
  }
  return "unusable";
}

}  // namespace timepool::ntp
