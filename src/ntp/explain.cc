#include "ntp/explain.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "ntp/four_times.h"

namespace timepool::ntp {
namespace {

using Sentences = std::vector<std::string>;

// Measured, or to be measured: not a name without an address.
bool is_measured(const SourceReport& report) {
  return report.server || report.kind == SourceKind::kRefclock;
}

// Three significant digits are what anybody reads: "1.23 ms", "45.6 us", "120 ns"; "3 s".
std::string about(Duration span) {
  constexpr const char* kUnits[] = {"ns", "us", "ms", "s"};
  double value = std::fabs(static_cast<double>(span.ns()));
  std::size_t unit = 0;
  for (; unit < 3 && value >= 999.5; ++unit) value /= 1000;
  const int decimals = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  std::string digits = text.data();
  while (digits.find('.') != std::string::npos && (digits.back() == '0' || digits.back() == '.')) {
    const bool point = digits.back() == '.';
    digits.pop_back();
    if (point) break;
  }
  return (span < Duration() ? "-" : "") + digits + " " + kUnits[unit];
}

// Whole seconds above ten.
std::string in_time(Duration span) {
  if (span <= Duration()) return "now";
  if (span < Duration::seconds(10)) return about(span);
  return format(Duration::seconds((span.ns() + 500'000'000) / 1'000'000'000));
}

std::string ago(Duration span) {
  return in_time(span) == "now" ? "now" : in_time(span) + " ago";
}

std::string count_of(std::uint64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

// "3", "2.5"
std::string number_text(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%g", value);
  return text.data();
}

std::string signed_offset(Duration offset) {
  return (offset < Duration() ? "" : "+") + about(offset);
}

std::string text_of(const Interval& interval) {
  return signed_offset(interval.low) + " to " + signed_offset(interval.high);
}

Interval interval_of(const Estimate& estimate) {
  return {estimate.offset - estimate.distance, estimate.offset + estimate.distance};
}

void tell_state(const SourceFacts& facts, Sentences& out) {
  const SourceReport& report = facts.report;
  const std::string letter(1, letter_of(report.cause));
  if (report.kind == SourceKind::kRefclock) {
    out.push_back("It is the reference clock " + report.name + "; its state is " +
                  std::string(name_of(report.cause)) + " (" + letter + ").");
    return;
  }
  std::string kind = report.kind == SourceKind::kPeer ? "the peer " : "the server ";
  if (report.kind == SourceKind::kPool) kind = "a server of the pool ";
  if (!report.server && report.kind == SourceKind::kBroadcast) {
    out.push_back("Nobody's broadcasts are heard there, or none that the key proves.");
    return;
  }
  if (report.kind == SourceKind::kBroadcast) kind = "a server heard at ";
  if (!report.server) {
    out.push_back("It is a name without an address so far.");
    return;
  }
  out.push_back("It is " + kind + report.name + "; its state is " +
                std::string(name_of(report.cause)) + " (" + letter + ").");
}

void tell_measurement(const SourceFacts& facts, Sentences& out) {
  const SourceReport& report = facts.report;
  if (!is_measured(report)) return;
  if (!report.has_estimate && report.kind == SourceKind::kRefclock) {
    out.push_back("It has not been measured.");
    return;
  }
  if (!report.has_estimate) {
    out.push_back("It has not been measured: " + count_of(report.requests, "request") +
                  " sent, the last " + std::to_string(report.unanswered) + " unanswered.");
    return;
  }
  const Estimate& estimate = report.estimate;
  const Duration offset = estimate.offset;
  out.push_back("Its clock is " + about(offset.abs()) +
                (offset < Duration() ? " behind" : " ahead of") + " ours, give or take " +
                about(estimate.distance) + "; measured " + ago(report.age) + ", stratum " +
                std::to_string(estimate.sample.stratum) + ", round trip " +
                about(estimate.sample.delay) + ", jitter " + about(estimate.jitter) + ".");
}

// The numbers behind the cause.
void tell_numbers(const SourceFacts& facts, Sentences& out) {
  const SourceReport& report = facts.report;
  const SelectionConfig& config = facts.config;
  switch (report.cause) {
    case Cause::kFalseticker:
    case Cause::kDistrusted:
    case Cause::kContested:
      out.push_back("By it the clock is off by " + text_of(interval_of(report.estimate)) +
                    (facts.tracking.synchronised
                         ? "; those who agree say " + signed_offset(facts.tracking.offset) +
                               ", give or take " + about(facts.tracking.uncertainty) + "."
                         : "."));
      return;
    case Cause::kTooFarToCombine:
      out.push_back("The limit is the reference's error bound times combine_limit, " +
                    number_text(config.combine_limit) + ".");
      return;
    case Cause::kWaitsForOthers:
      out.push_back(facts.agreement == Agreement::kNotRequired
                        ? "None of the required sources agrees."
                    : facts.agreement == Agreement::kUnchecked
                        ? "The dates of certificates are not checked yet, so " +
                              count_of(config.unchecked_quorum, "source") + " must agree."
                        : "min_sources is " + std::to_string(config.min_sources) + ".");
      return;
    case Cause::kStratum:
      out.push_back("Its stratum is " + std::to_string(report.estimate.sample.stratum) + ", and " +
                    std::to_string(config.min_stratum) + " to " +
                    std::to_string(config.max_stratum) + " is allowed.");
      return;
    case Cause::kTooDistant:
      out.push_back("max_distance is " + about(config.max_distance) + ".");
      return;
    case Cause::kTooVariable:
      out.push_back("max_jitter is " + about(config.max_jitter) + ".");
      return;
    default:
      return;
  }
}

// What would change the state.
std::string_view change_of(Cause cause) {
  switch (cause) {
    case Cause::kSelected:
      return "Another takes its place when that is clearly better for some time, or at once when "
             "this one fails.";
    case Cause::kCombined:
      return "It becomes the reference when it is clearly better than that for some time.";
    case Cause::kTooFarToCombine:
      return "It is combined when its error bound becomes narrower: by a shorter or steadier path.";
    case Cause::kNotPreferred:
      return "It is used when no preferred source agrees any more.";
    case Cause::kWaitsForOthers:
      return "It is used as soon as enough of the others agree.";
    case Cause::kFalseticker:
      return "It is believed again as soon as its time meets that of the majority.";
    case Cause::kDistrusted:
      return "It is used when its time lies wholly within what the trusted sources allow.";
    case Cause::kContested:
      return "It is used when one more source takes the side of its group.";
    case Cause::kNoMajority:
      return "More sources, or fewer that lie, would make a majority.";
    case Cause::kUndecided:
      return "It is used when the others agree, or after three requests in vain to each of them.";
    case Cause::kNoselect:
      return "Only the setting changes that.";
    case Cause::kNotAuthentic:
      return "Authentication of this source, or another auth_selection, would change that.";
    case Cause::kOurselves:
      return "Remove it from the sources: it can never be of use.";
    case Cause::kLoop:
      return "It is used when it follows somebody else.";
    case Cause::kUnreachable:
      return "One usable answer is enough.";
    case Cause::kRemembered:
      return "One usable answer makes it a source again; without one it is forgotten an hour after "
             "it last agreed.";
    case Cause::kNoSamples:
      return "The first usable answer is enough.";
    case Cause::kUnsynchronised:
      return "It is used when it says that it is synchronised again.";
    case Cause::kStratum:
      return "Another stratum of it, or other limits, would change that.";
    case Cause::kTooDistant:
      return "Better answers, or a larger limit, would change that.";
    case Cause::kTooVariable:
      return "Steadier answers, or a larger limit, would change that.";
    case Cause::kSmeared:
      return "It is used again when the smear is over.";
    case Cause::kOrphan:
      return "It is used when it has the true time again, or when nobody has and it leads.";
  }
  return "";
}

// The last datagram, when it was none of use.
void tell_last_reply(const SourceFacts& facts, Sentences& out) {
  const SourceReport& report = facts.report;
  if (facts.prospects.denied) {
    out.push_back("It asked us to go away (" + std::string(name_of(report.last_reason)) +
                  "), so it is left alone.");
    return;
  }
  if (report.requests == 0 || report.last_reason == ReplyReason::kAccepted) return;
  if (report.last_reason == ReplyReason::kUnsolicited) return;
  out.push_back(
      "The last datagram from it was not used: " + std::string(name_of(report.last_reason)) + ".");
}

void tell_options(const SourceFacts& facts, Sentences& out) {
  const SelectOptions& options = facts.report.options;
  std::string set;
  const auto add = [&set](bool is, const char* name) {
    if (is) set += (set.empty() ? "" : ", ") + std::string(name);
  };
  add(facts.report.authenticated, "authenticated");
  add(options.prefer, "preferred");
  add(options.trust, "trusted");
  add(options.require, "required");
  if (!set.empty()) out.push_back("It counts as " + set + ".");
}

void tell_dependence(const Prospects& prospects, Sentences& out) {
  switch (prospects.dependence) {
    case Dependence::kNone:
      return;
    case Dependence::kSameUpstream:
      out.push_back("It follows the same server as " + prospects.depends_on +
                    ": the two can be wrong together.");
      return;
    case Dependence::kFollows:
      out.push_back("One of it and " + prospects.depends_on +
                    " follows the other: the two can be wrong together.");
      return;
    case Dependence::kSameNetwork:
      out.push_back("It is in the same network as " + prospects.depends_on +
                    ": the two can fail together.");
      return;
    case Dependence::kSameHost:
    case Dependence::kSameAddress:
      out.push_back("It is the same machine as " + prospects.depends_on + ".");
      return;
  }
}

std::string spare_text(const Prospects& prospects) {
  return prospects.spare == 0 ? "its name has no other address now, so it is looked up first"
                              : "its name has " + std::to_string(prospects.spare) + " more of " +
                                    std::to_string(prospects.addresses) + " addresses";
}

void tell_replacement(const SourceFacts& facts, Sentences& out) {
  const Prospects& it = facts.prospects;
  if (!facts.report.server) return;
  if (it.outage) {
    out.push_back(
        "No server answers at all, so the network is thought to be down and nobody is "
        "replaced for it.");
    return;
  }
  if (facts.report.kind == SourceKind::kBroadcast) {
    if (it.misses > 0) out.push_back("After eight broadcasts that do not come it is gone.");
    return;
  }
  if (it.literal) {
    if (it.misses > 0 || it.useless > 0) {
      out.push_back("It is configured as an address, so no other can take its place.");
    }
    return;
  }
  if (it.misses > 0 && it.misses_limit > 0) {
    const std::uint32_t left = it.misses < it.misses_limit ? it.misses_limit - it.misses : 0;
    out.push_back(left > 0 ? "After " + count_of(left, "more request") +
                                 " in vain another address takes its place; " + spare_text(it) + "."
                           : "Another address is to take its place; " + spare_text(it) + ".");
  } else if (it.useless > 0 && it.useless_limit > 0) {
    const std::uint32_t left = it.useless < it.useless_limit ? it.useless_limit - it.useless : 0;
    std::string text = left > 0 ? "After " + count_of(left, "more sample") +
                                      " of no use another address takes its place"
                                : "Another address is to take its place";
    if (it.replacements_rest > Duration()) {
      text += ", but not before " + in_time(it.replacements_rest) + " have passed";
    }
    out.push_back(text + "; " + spare_text(it) + ".");
  }
}

void tell_next(const SourceFacts& facts, Sentences& out) {
  const Prospects& it = facts.prospects;
  if (!it.online) {
    out.push_back("It is offline: it is not asked until `timepool ntp online`.");
  } else if (it.next_request && facts.report.server) {
    const std::string poll = format(exp2_seconds(facts.report.poll));
    out.push_back(
        "It is asked next " +
        (*it.next_request <= Duration() ? "now" : "in " + in_time(*it.next_request)) +
        (facts.report.kind == SourceKind::kBroadcast
             ? "; its broadcasts come every " + poll + "."
             : ", at a poll of " + std::to_string(facts.report.poll) + " (" + poll + ")."));
  }
  if (it.next_lookup && (!facts.report.server || it.spare == 0)) {
    out.push_back("Its name is looked up " + (*it.next_lookup <= Duration()
                                                  ? "now."
                                                  : "in " + in_time(*it.next_lookup) + "."));
  }
}

std::string_view text_of(DropCause cause) {
  switch (cause) {
    case DropCause::kNone:
      return "nothing";
    case DropCause::kSilent:
      return "it did not answer";
    case DropCause::kUnproven:
      return "it did not answer, nor did anybody else";
    case DropCause::kDenied:
      return "it refused us";
    case DropCause::kUseless:
      return "its time was of no use";
    case DropCause::kRedundant:
      return "it depended on another";
    case DropCause::kContested:
      return "no majority agreed, and it agreed with the fewest";
    case DropCause::kNoRoute:
      return "there was no way to it";
    case DropCause::kSurplus:
      return "fewer were wanted";
  }
  return "";
}

void tell_history(const Prospects& prospects, Sentences& out) {
  const std::size_t count = std::min(prospects.dropped.size(), kMaxDroppedTold);
  for (std::size_t i = 0; i < count; ++i) {
    const Prospects::Dropped& it = prospects.dropped[i];
    out.push_back("Of the same name, " + it.address + " was given up " + ago(it.ago) + ": " +
                  std::string(text_of(it.cause)) + ".");
  }
}

}  // namespace

std::string title_of(const SourceFacts& facts) {
  const SourceReport& report = facts.report;
  if (!report.server) return report.name;
  if (format(report.server->address) == report.name) return format(*report.server);
  return format(*report.server) + " (" + report.name + ")";
}

std::vector<std::string> explain(const SourceFacts& facts) {
  Sentences out;
  tell_state(facts, out);
  tell_measurement(facts, out);
  if (is_measured(facts.report)) {
    out.emplace_back(sentence_of(facts.report.cause));
    tell_numbers(facts, out);
    tell_last_reply(facts, out);
    out.emplace_back(change_of(facts.report.cause));
  }
  tell_options(facts, out);
  tell_dependence(facts.prospects, out);
  tell_replacement(facts, out);
  tell_next(facts, out);
  tell_history(facts.prospects, out);
  return out;
}

}  // namespace timepool::ntp
