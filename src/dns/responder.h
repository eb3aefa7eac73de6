// The answer to one DNS datagram: any bytes in, at most one reply out, never longer than the limit
// that the client set, exactly one reason. No allocation, no locks: any number of workers may call
// respond() on one Served, each with its own Worker.
//
//   responder.cc      which kind of query it is     answer.cc         names to records
//   reply.h           the message being made        reply_options.cc  OPT
//   chaos.cc          version.bind and its like
#pragma once

#include <cstdint>

#include "base/byte_reader.h"
#include "dns/answer_kind.h"
#include "dns/asked.h"
#include "dns/reason.h"
#include "dns/shortened.h"
#include "wire/dns/constants.h"

namespace timepool::dns {

enum class Verdict : std::uint8_t { kReply, kDrop };

struct Outcome {
  static constexpr std::uint32_t kNone = CompiledZones::kNone;

  Verdict verdict = Verdict::kDrop;
  Reason reason = Reason::kDroppedShort;
  wire::dns::Rcode rcode = wire::dns::Rcode::kNoError;
  wire::dns::RrType type{};    // of the question; 0: there is none
  std::uint16_t length = 0;    // of the reply
  bool client_subnet = false;  // the client sent one
  // The zone that holds the question's name, in the order of CompiledZones::zones().
  std::uint32_t zone = kNone;
  // The record set that the answer ends with, behind CNAMEs if there are any; none for a truncated
  // one. When it is drawn by weight, Worker::handed has the numbers of its records.
  std::uint32_t set = kNone;
  // The pool whose addresses were handed out, also at the end of a chain of CNAMEs: Worker::handed
  // has their numbers in it, unless the reply was truncated.
  std::uint32_t pool = kNone;
  IpAddress client;  // whom the answer is for: the subnet that was sent, or who asks
  CookieUse cookie = CookieUse::kNone;
  // Where the reply's parts begin; both 0 where only the header of the query was sound.
  std::uint16_t question_end = 0;
  std::uint16_t opt = 0;  // 0: there is none

  ReplyParts parts() const { return {length, question_end, opt}; }
  // What the answer is to limits on answers: equal numbers for equal answers of one snapshot.
  AnswerKind kind = AnswerKind::kError;
  std::uint32_t subject() const {
    return kind == AnswerKind::kRecords && set != kNone ? set : zone;
  }
};

// `out` must have room for 512 bytes by UDP and 65535 by TCP at the least (CHECKs 512); the reply
// is no longer than `out`, whatever the client takes.
Outcome respond(const Rx& rx, Bytes datagram, const Served& served, Worker& worker,
                MutableBytes out);

}  // namespace timepool::dns
