#include "wire/dns/question.h"

namespace timepool::wire::dns {

Result<Question, Malformed> parse_question(ByteReader& reader) {
  Question question;
  question.name = TRY(parse_name(reader));
  question.type = static_cast<RrType>(reader.u16());
  question.klass = static_cast<RrClass>(reader.u16());
  if (!reader.ok()) return fail(Malformed::kShortQuestion);
  return question;
}

std::string format(const Question& question) {
  return format(question.name) + ' ' + format(question.klass) + ' ' + format(question.type);
}

}  // namespace timepool::wire::dns
