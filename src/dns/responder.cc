#include "dns/responder.h"

#include <algorithm>

#include "base/check.h"
#include "dns/answer.h"
#include "dns/chaos.h"
#include "dns/reply.h"
#include "dns/reply_options.h"

namespace timepool::dns {
namespace {

using wire::dns::Malformed;
using wire::dns::Query;
using wire::dns::Rcode;
using wire::dns::RrClass;
using wire::dns::RrType;

Outcome dropped(Malformed malformed) {
  Outcome out;
  out.reason = malformed == Malformed::kIsResponse ? Reason::kDroppedResponse
               : malformed == Malformed::kTooLong  ? Reason::kDroppedLong
                                                   : Reason::kDroppedShort;
  return out;
}

// The answer to what does not parse: only its header is certain to be one.
Outcome answer_malformed(Bytes datagram, Malformed malformed, MutableBytes out) {
  Outcome outcome;
  outcome.verdict = Verdict::kReply;
  outcome.reason = malformed == Malformed::kOpcode ? Reason::kNotImpOpcode : Reason::kFormErr;
  outcome.rcode = wire::dns::rcode_for(malformed);
  Reply reply(out);
  reply.begin(datagram, wire::dns::kHeaderSize, wire::dns::kHeaderSize);
  reply.set_rcode(outcome.rcode);
  auto flags = static_cast<std::uint16_t>(std::to_integer<unsigned>(datagram[2]) << 8 |
                                          std::to_integer<unsigned>(datagram[3]));
  // RFC 8906 8.1.4: what the flags of another opcode mean is not known here, so none is copied.
  if (malformed == Malformed::kOpcode) flags &= 0x7800;
  outcome.length = static_cast<std::uint16_t>(reply.finish(flags, false, 0));
  return outcome;
}

Reason refuse(Reply& reply, Reason reason, Rcode rcode) {
  reply.set_rcode(rcode);
  return reason;
}
Reason refuse(Reply& reply, Reason reason, Rcode rcode, ExtendedCode code) {
  reply.set_extended_error(code);
  return refuse(reply, reason, rcode);
}

// RFC 1035 3.2.5: any class is every class that there is, which is IN. A zone is copied in its own
// (RFC 5936 2.1).
bool is_ours(const Query& query) {
  if (query.klass == RrClass::kIn) return true;
  const bool copies = query.type == RrType::kAxfr || query.type == RrType::kIxfr;
  return query.klass == RrClass::kAny && !copies;
}

// What needs no name looked up, or nothing for a question that does.
std::optional<Reason> answer_in_general(const Asked& asked, Reply& reply) {
  const Query& query = asked.query;
  if (query.edns && query.edns->header.version != 0) {
    return refuse(reply, Reason::kBadVersion, Rcode::kBadVers);
  }
  if (query.tsig_offset != 0) return refuse(reply, Reason::kTsig, Rcode::kNotAuth);
  if (!query.has_question) return Reason::kCookieOnly;
  if (query.klass == RrClass::kCh) return answer_chaos(asked, reply);
  if (!is_ours(query)) {
    return refuse(reply, Reason::kRefusedClass, Rcode::kRefused, ExtendedCode::kProhibited);
  }
  switch (query.type) {
    case RrType::kAxfr:
    case RrType::kIxfr:
      return refuse(reply, Reason::kRefusedTransfer, Rcode::kRefused, ExtendedCode::kProhibited);
    case RrType::kOpt:
      return refuse(reply, Reason::kFormErr, Rcode::kFormErr);
    case RrType::kNxname:  // RFC 9824 3.5
      return refuse(reply, Reason::kFormErr, Rcode::kFormErr, ExtendedCode::kInvalidQueryType);
    default:
      break;
  }
  if (is_meta(query.type) && query.type != RrType::kAny) {
    return refuse(reply, Reason::kNotImpType, Rcode::kNotImp, ExtendedCode::kNotSupported);
  }
  return std::nullopt;
}

void note(const Answer& answer, const CompiledZones& zones, Outcome& outcome) {
  if (answer.zone() != nullptr) outcome.zone = zones.index_of(*answer.zone());
  if (answer.set() != nullptr) outcome.set = zones.index_of(*answer.set());
  if (answer.pool() != nullptr) outcome.pool = zones.index_of(*answer.pool());
}

CheckedCookie cookie_of(const Rx& rx, const Query& query, const ResponderSettings& settings) {
  if (!query.edns || !query.edns->cookie || query.edns->header.version != 0) return {};
  const wire::dns::Cookie& shown = *query.edns->cookie;
  return check_cookie(settings.cookies, shown.client, shown.server, rx.source, rx.now);
}

std::size_t max_udp(const Asked& asked) {
  const ResponderSettings& settings = asked.served.settings;
  const bool whole = asked.cookie.use == CookieUse::kGood || settings.max_udp_without_cookie == 0;
  return whole ? settings.max_udp : std::min(settings.max_udp, settings.max_udp_without_cookie);
}

// Whom the answer is for, before addresses of IPv4 in those of IPv6 are seen as such.
const IpAddress& client_of(const Rx& rx, const Query& query) {
  const auto& edns = query.edns;
  if (!edns || !edns->client_subnet || edns->client_subnet->source == 0) return rx.source;
  return edns->client_subnet->address;
}

IpAddress unmapped_client(const Asked& asked) {
  const IpAddress& client = client_of(asked.rx, asked.query);
  return client.is_v4() || &client == &asked.rx.source ? client : client.unmapped();
}

Outcome answer_query(const Asked& asked, Bytes datagram, MutableBytes out) {
  const Query& query = asked.query;
  Reply reply(out);
  Answer answer(asked, reply);
  const ReplyOptions options(asked);
  std::size_t limit = out.size();
  if (!asked.rx.tcp) limit = std::min(limit, std::min(query.udp_limit(), max_udp(asked)));
  // Every limit leaves room for the question and the options: 512 at least.
  reply.begin(datagram, query.question_end, limit - options.size());
  Outcome outcome;
  outcome.verdict = Verdict::kReply;
  outcome.client = unmapped_client(asked);
  outcome.type = query.has_question ? query.type : RrType{};
  outcome.client_subnet = query.edns && query.edns->client_subnet;
  outcome.cookie = asked.cookie.use;
  outcome.question_end = query.question_end;
  if (const auto reason = answer_in_general(asked, reply)) {
    outcome.reason = *reason;
  } else {
    outcome.reason = answer.run();
    // RFC 1035 6.2: nobody knows all classes that there may be.
    if (query.klass != RrClass::kIn) reply.set_authoritative(false);
    note(answer, asked.served.zones, outcome);
  }
  outcome.kind = kind_of(outcome.reason);
  if (reply.truncated() && outcome.reason != Reason::kSignatureLimit) {
    outcome.reason = Reason::kTruncated;
    outcome.set = Outcome::kNone;
  }
  outcome.rcode = reply.rcode();
  reply.close();
  if (query.edns) outcome.opt = static_cast<std::uint16_t>(reply.size());
  const std::size_t opt = options.write(reply, limit - reply.size(), reply.rest());
  outcome.length =
      static_cast<std::uint16_t>(reply.finish(query.header.flags, query.has_question, opt));
  return outcome;
}

}  // namespace

Outcome respond(const Rx& rx, Bytes datagram, const Served& served, Worker& worker,
                MutableBytes out) {
  CHECK(out.size() >= wire::dns::kMaxPlainUdp);
  out = out.first(std::min(out.size(), wire::dns::kMaxMessage));
  Query query;
  const auto parsed = wire::dns::parse_query_into(datagram, query);
  if (!parsed.ok()) {
    if (wire::dns::must_drop(parsed.error())) return dropped(parsed.error());
    return answer_malformed(datagram, parsed.error(), out);
  }
  served.zones.prefetch(client_of(rx, query));
  return answer_query({rx, query, served, worker, cookie_of(rx, query, served.settings)}, datagram,
                      out);
}

}  // namespace timepool::dns
