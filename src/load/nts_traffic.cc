#include "load/nts_traffic.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "base/byte_writer.h"
#include "base/check.h"
#include "load/generator.h"
#include "sys/random.h"
#include "wire/ntp/packet.h"

namespace timepool::load {
namespace {

namespace ntp = wire::ntp;

// A local key server answers at once or not at all.
constexpr Duration kTimeout = Duration::seconds(5);
constexpr std::size_t kOriginAt = 24;    // RFC 5905 7.3
constexpr unsigned kGenerationBits = 6;  // load/traffic.h
constexpr std::uint64_t kTokenMask = (std::uint64_t{1} << (kSlotBits + kGenerationBits)) - 1;

std::size_t generations_for(std::size_t slots) {
  return std::clamp<std::size_t>(std::bit_floor(NtsTraffic::kPrepared / slots), 1,
                                 std::size_t{1} << kGenerationBits);
}

std::uint64_t origin_of(Bytes reply) {
  ByteReader reader(reply.subspan(kOriginAt));
  return reader.u64();
}

}  // namespace

Result<std::vector<nts::Establishment>> NtsTraffic::establish(const KeyPeer& peer,
                                                              bool allow_private) {
  TRY(check_target(peer.server.address, allow_private));
  std::vector<nts::Establishment> out;
  for (int i = 0; i < kEstablishments; ++i) out.push_back(TRY(establish_keys(peer, kTimeout)));
  return out;
}

NtsTraffic::NtsTraffic(std::size_t slots)
    : slots_(slots), generations_(generations_for(slots)), requests_(slots * generations_) {}

Result<NtsTraffic> NtsTraffic::create(const std::vector<nts::Establishment>& keys,
                                      const AeadMaker& aeads, std::size_t slots) {
  CHECK(slots >= 1 && slots <= kMaxSlots);
  std::vector<std::pair<std::size_t, const nts::Cookie*>> cookies;
  std::vector<std::unique_ptr<Aead>> seals;
  NtsTraffic out(slots);
  for (const nts::Establishment& it : keys) {
    for (const nts::Cookie& cookie : it.cookies) cookies.emplace_back(seals.size(), &cookie);
    seals.push_back(aeads.make(it.keys.aead));
    seals.back()->set_key(it.keys.c2s());
    out.proofs_.push_back(aeads.make(it.keys.aead));
    out.proofs_.back()->set_key(it.keys.s2c());
  }
  if (cookies.empty()) return fail(Error{ErrorCode::kInvalid, "requests of NTS", "no cookies"});
  for (std::size_t i = 0; i < out.requests_.size(); ++i) {
    const auto& [owner, cookie] = cookies[i % cookies.size()];
    TRY(out.prepare(i, *cookie, *seals[owner]));
    out.requests_[i].server_to_client = out.proofs_[owner].get();
  }
  return out;
}

Result<void> NtsTraffic::prepare(std::size_t index, const nts::Cookie& cookie,
                                 Aead& client_to_server) {
  Prepared& it = requests_[index];
  std::array<std::byte, 16> nonce_room;
  const MutableBytes nonce = MutableBytes(nonce_room).first(nonce_size(client_to_server.id()));
  sys::fill_random(nonce);
  sys::fill_random(it.id);
  it.transmit = (sys::random_u64() & ~kTokenMask) | token_of(index);
  std::array<std::byte, kMaxRequest> room;
  ByteWriter writer(room);
  ntp::Header header;
  header.mode = ntp::Mode::kClient;
  header.transmit = NtpTimestamp::from_bits(it.transmit);
  ntp::write_header(header, writer);
  if (!nts::write_request_fields({it.id, cookie, 0, nonce}, client_to_server, writer)) {
    return fail(Error{ErrorCode::kInvalid, "requests of NTS", "the cookie is too long"});
  }
  it.wire.assign(writer.written().begin(), writer.written().end());
  return {};
}

std::uint64_t NtsTraffic::token_of(std::size_t index) const {
  return static_cast<std::uint64_t>(index / slots_) << kSlotBits | index % slots_;
}

std::size_t NtsTraffic::index_of(std::uint64_t token) const {
  const std::size_t slot = token & (kMaxSlots - 1);
  const std::size_t generation = token >> kSlotBits & (generations_ - 1);
  return generation * slots_ + slot;
}

std::size_t NtsTraffic::write(std::uint64_t token, MutableBytes buffer) const {
  const std::vector<std::byte>& wire = requests_[index_of(token)].wire;
  std::ranges::copy(wire, buffer.begin());
  return wire.size();
}

std::optional<std::uint64_t> NtsTraffic::read_token(Bytes reply) const {
  if (reply.size() < ntp::kHeaderSize) return std::nullopt;
  return origin_of(reply);
}

Judgement NtsTraffic::judge(std::uint64_t token, Bytes reply) const {
  const Prepared& asked = requests_[index_of(token)];
  const auto packet = ntp::parse_packet(reply);
  if (!packet.ok() || origin_of(reply) != asked.transmit) return Judgement::kInvalid;
  const ntp::Header& header = packet->header;
  if (header.version != 4 || header.mode != ntp::Mode::kServer) return Judgement::kInvalid;
  if (header.stratum == 0) return Judgement::kRefused;
  const ntp::ExtensionField* id = packet->field(ntp::field_type::kUniqueIdentifier);
  if (id == nullptr || !std::ranges::equal(id->body, asked.id) ||
      packet->field(ntp::field_type::kNtsAuthenticator) == nullptr ||
      reply.size() > asked.wire.size()) {
    return Judgement::kInvalid;
  }
  const std::uint64_t serial = token >> (kSlotBits + kGenerationBits);
  if (serial % kProofEvery != 1) return Judgement::kAnswer;
  std::array<std::byte, nts::kMaxSealed> plain;
  const nts::ReplyFields fields =
      nts::read_reply(*packet, reply, asked.id, *asked.server_to_client, plain);
  const bool proven = fields.verdict == nts::ReplyVerdict::kAuthentic && !fields.cookies.empty();
  return proven ? Judgement::kProven : Judgement::kInvalid;
}

}  // namespace timepool::load
