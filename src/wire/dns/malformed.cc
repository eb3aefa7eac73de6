#include "wire/dns/malformed.h"

namespace timepool::wire::dns {

std::string_view name_of(Malformed malformed) {
  switch (malformed) {
    case Malformed::kShortHeader:
      return "short_header";
    case Malformed::kTooLong:
      return "too_long";
    case Malformed::kIsResponse:
      return "is_response";
    case Malformed::kOpcode:
      return "opcode";
    case Malformed::kQuestionCount:
      return "question_count";
    case Malformed::kAnswerInQuery:
      return "answer_in_query";
    case Malformed::kAuthorityInQuery:
      return "authority_in_query";
    case Malformed::kShortQuestion:
      return "short_question";
    case Malformed::kShortRecord:
      return "short_record";
    case Malformed::kTrailing:
      return "trailing";
    case Malformed::kTsigPlace:
      return "tsig_place";
    case Malformed::kNameShort:
      return "name_short";
    case Malformed::kNamePointer:
      return "name_pointer";
    case Malformed::kNameCompressed:
      return "name_compressed";
    case Malformed::kNameTooLong:
      return "name_too_long";
    case Malformed::kLabelType:
      return "label_type";
    case Malformed::kLabelTooLong:
      return "label_too_long";
    case Malformed::kEmptyLabel:
      return "empty_label";
    case Malformed::kEscape:
      return "escape";
    case Malformed::kUnknownName:
      return "unknown_name";
    case Malformed::kRdataShort:
      return "rdata_short";
    case Malformed::kRdataLong:
      return "rdata_long";
    case Malformed::kRdataValue:
      return "rdata_value";
    case Malformed::kTypeBitmap:
      return "type_bitmap";
    case Malformed::kSvcbOrder:
      return "svcb_order";
    case Malformed::kSvcbValue:
      return "svcb_value";
    case Malformed::kSvcbInconsistent:
      return "svcb_inconsistent";
    case Malformed::kOptOwner:
      return "opt_owner";
    case Malformed::kOptTwice:
      return "opt_twice";
    case Malformed::kOptSection:
      return "opt_section";
    case Malformed::kOptionLength:
      return "option_length";
    case Malformed::kSubnetFamily:
      return "subnet_family";
    case Malformed::kSubnetPrefix:
      return "subnet_prefix";
    case Malformed::kSubnetScope:
      return "subnet_scope";
    case Malformed::kSubnetLength:
      return "subnet_length";
    case Malformed::kSubnetBits:
      return "subnet_bits";
    case Malformed::kCookieLength:
      return "cookie_length";
  }
  return "unknown";
}

}  // namespace timepool::wire::dns
