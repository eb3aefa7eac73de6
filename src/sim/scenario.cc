#include "sim/scenario.h"

#include <algorithm>
#include <set>

#include "config/codec.h"
#include "ntp/reply_reason.h"
#include "sim/scenario_codec.h"

namespace timepool::sim {
namespace {

using config::boolean;
using config::integer;
using config::list_of;
using config::number;
using config::Schema;
using config::text;

constexpr std::size_t kMaxServers = 64;
// Clocks may be wrong by more than a scenario can last.
constexpr Duration kYears = Duration::seconds(100LL * 366 * 86'400);

config::Codec<double> probability() {
  return number(0, 1);
}

// "2026-12-31T20:00:00Z"
config::Codec<std::optional<UnixTime>> moment() {
  const config::Codec<std::string> utc = text(32);
  return {
      "a UTC time",
      [utc](const config::Value& value, std::optional<UnixTime>& out) -> std::string {
        std::string read;
        std::string wrong = utc.read(value, read);
        if (!wrong.empty()) return wrong;
        const Result<UnixTime> time = parse_utc(read);
        if (!time.ok()) return "expected the form 2026-11-21T12:34:56Z";
        out = *time;
        return {};
      },
      [utc](const std::optional<UnixTime>& in) { return utc.write(in ? format_utc(*in) : ""); }};
}

// Of a leap second: 1 inserted, -1 deleted, 0 none.
config::Codec<std::optional<int>> leap_seconds() {
  const config::Codec<int> seconds = integer(-1, 1);
  return {seconds.type,
          [seconds](const config::Value& value, std::optional<int>& out) {
            int read = 0;
            std::string wrong = seconds.read(value, read);
            if (wrong.empty()) out = read;
            return wrong;
          },
          [seconds](const std::optional<int>& in) { return seconds.write(in.value_or(0)); }};
}

config::Codec<Trick> trick() {
  std::vector<std::pair<std::string, Trick>> names;
  for (std::size_t i = 0; i < kTrickCount; ++i) {
    const auto trick = static_cast<Trick>(i);
    names.emplace_back(std::string(name_of(trick)), trick);
  }
  return config::one_of<Trick>(names);
}

Schema<ClockConfig> clock_schema() {
  Schema<ClockConfig> out;
  out.field("offset", &ClockConfig::offset, config::duration(-kYears, kYears),
            "Local less true time at the start.")
      .field("frequency_ppm", &ClockConfig::frequency_ppm, number(-500, 500), "Positive is fast.")
      .field("wander_ppm", &ClockConfig::wander_ppm, number(0, 10), "Random walk in a second.");
  return out;
}

Schema<LinkConfig> link_schema() {
  Schema<LinkConfig> out;
  out.field("delay", &LinkConfig::delay, span(), "One way, the least.")
      .field("jitter", &LinkConfig::jitter, span(), "Mean of an exponential addition.")
      .field("asymmetry", &LinkConfig::asymmetry, signed_span(), "Way forth less way back.")
      .field("loss", &LinkConfig::loss, probability(), "Each way.")
      .field("duplicate", &LinkConfig::duplicate, probability(), "Each way.")
      .field("reorder", &LinkConfig::reorder, probability(), "Held back for four delays.")
      .field("partitions", &LinkConfig::partitions, list_of(window()), "Nothing passes.");
  return out;
}

Schema<ServerLeap> server_leap_schema() {
  Schema<ServerLeap> out;
  out.field("announces", &ServerLeap::announces, leap_seconds(), "Without: what is true.")
      .field("announces_always", &ServerLeap::announces_always, boolean(), "Not the last day only.")
      .field("applies", &ServerLeap::applies, leap_seconds(), "Without: what is true.")
      .field("lag", &ServerLeap::lag, signed_span(), "How late; negative is early.")
      .field("smear", &ServerLeap::smear, span(), "Spread over this time.")
      .field("smear_shape", &ServerLeap::smear_shape,
             config::maybe(config::one_of<ntp::SmearShape>(
                 {{"linear", ntp::SmearShape::kLinear}, {"cosine", ntp::SmearShape::kCosine}})),
             "As timepool-ntpd does it.");
  return out;
}

Schema<ServerNts> server_nts_schema() {
  Schema<ServerNts> out;
  out.field("on", &ServerNts::on, boolean(), "It has NTS.")
      .field("certificate", &ServerNts::certificate, text(255), "Its name; empty: any.")
      .field("names", &ServerNts::names, config::ip_address(), "Whom its cookies are for.")
      .field("loses_keys_at", &ServerNts::loses_keys_at, span(), "Cookies before open no more.")
      .field("holds_from", &ServerNts::holds_from, config::maybe(signed_span()),
             "When its certificate begins, since the start; without: long ago.")
      .field("holds_until", &ServerNts::holds_until, config::maybe(signed_span()),
             "When that ends; without: never.")
      .field("generous", &ServerNts::generous, boolean(), "New cookies with each answer.")
      .field("naks_on_path", &ServerNts::naks_on_path, boolean(), "Forged, with the right id.")
      .field("naks_off_path", &ServerNts::naks_off_path, boolean(), "Forged, with a wrong id.");
  return out;
}

Schema<ServerConfig> server_schema() {
  Schema<ServerConfig> out;
  out.required("name", &ServerConfig::name, text(64), "For the other tables.")
      .required("address", &ServerConfig::address, config::ip_address(), "Its address.")
      .field("stratum", &ServerConfig::stratum, integer<std::uint8_t>(1, 15), "Its stratum.")
      .field("upstream", &ServerConfig::upstream, config::ip_address(), "Whom it follows.")
      .field("lie", &ServerConfig::lie, signed_span(), "Added to every time served.")
      .field("lie_from", &ServerConfig::lie_from, span(), "It is honest until then.")
      .field("lie_drift_ppm", &ServerConfig::lie_drift_ppm, number(-1000, 1000),
             "By how much the lie grows.")
      .field("root_delay", &ServerConfig::root_delay, span(), "As claimed.")
      .field("root_dispersion", &ServerConfig::root_dispersion, span(), "As claimed.")
      .field("synchronised", &ServerConfig::synchronised, boolean(), "As claimed.")
      .field("down", &ServerConfig::down, list_of(window()), "The host does not answer.")
      .field("kiss", &ServerConfig::kiss, text(4), "The code of a kiss.")
      .field("kiss_interval", &ServerConfig::kiss_interval, span(),
             "For requests sooner than this.")
      .field("send_latency", &ServerConfig::send_latency, span(),
             "Mean time from its transmit timestamp until the reply leaves.")
      .field("interleaved", &ServerConfig::interleaved, boolean(), "RFC 9769.")
      .field("forged", &ServerConfig::forged, boolean(), "Replies are forged off the path.")
      .field("tricks", &ServerConfig::tricks, list_of(trick(), kTrickCount), "What it plays.")
      .table("nts", &ServerConfig::nts, server_nts_schema(), "Network Time Security.")
      .table("leap", &ServerConfig::leap, server_leap_schema(), "What it makes of the leap.")
      .table("clock", &ServerConfig::clock, clock_schema(), "Its own clock.")
      .table("link", &ServerConfig::link, link_schema(), "The way to it.");
  return out;
}

Schema<ntp::CorrectionRules> rules_schema() {
  Schema<ntp::StepRule> step;
  step.field("threshold", &ntp::StepRule::threshold, span(), "Stepped above it.")
      .field("limit", &ntp::StepRule::limit, config::integer64(-1, 1000), "In the first updates.");
  step.field("min_sources", &ntp::StepRule::min_sources, integer<std::size_t>(1, 64), "B26.");
  Schema<ntp::MaxChange> change;
  change.field("offset", &ntp::MaxChange::offset, span(), "Not corrected above it.")
      .field("start", &ntp::MaxChange::start, config::integer64(0, 1000), "After so many updates.")
      .field("ignore", &ntp::MaxChange::ignore, config::integer64(0, 1000), "In silence.");
  Schema<ntp::CorrectionRules> out;
  out.table("step", &ntp::CorrectionRules::step, step, "When it is stepped.")
      .table("max_change", &ntp::CorrectionRules::max_change, change, "What is left alone.")
      .field("panic", &ntp::CorrectionRules::panic, span(), "B25.")
      .field("first_start", &ntp::CorrectionRules::first_start, boolean(), "B25.");
  return out;
}

Schema<ClientUpsets> upsets_schema() {
  Schema<Restart> restart;
  restart.required("at", &Restart::at, span(), "When.")
      .required("pause", &Restart::pause, span(), "Until it runs again.")
      .field("saved_before", &Restart::saved_before, span(), "A crash, so long after saving.");
  using U = ClientUpsets;
  Schema<U> out;
  out.tables("restart", &U::restarts, restart, "The program ends and starts anew.")
      .field("save_samples", &U::save_samples, boolean(), "The samples survive that.");
  out.field("offline", &U::offline, list_of(window()), "Without an interface.")
      .field("offline_v6", &U::offline_v6, list_of(window()), "Without IPv6.")
      .field("network_events", &U::network_events, boolean(), "It is told of interfaces.")
      .field("asleep", &U::asleep, list_of(window()), "Suspended.")
      .field("mono_sleeps", &U::mono_sleeps, boolean(), "The monotonic clock stands still.")
      .field("wake_error", &U::wake_error, span(), "Of the clock that wakes it.")
      .field("step_every", &U::step_every, span(), "How often others step its clock.")
      .field("step", &U::step, span(), "By how much.")
      .field("frequency_jump_every", &U::frequency_jump_every, span(), "How often it jumps.")
      .field("frequency_jump_ppm", &U::frequency_jump_ppm, number(0, 500), "By how much.");
  return out;
}

Schema<ClientLeap> client_leap_schema() {
  Schema<ClientLeap> out;
  out.field("mode", &ClientLeap::mode,
            config::one_of<ntp::LeapMode>({{"kernel", ntp::LeapMode::kKernel},
                                           {"step", ntp::LeapMode::kStep},
                                           {"slew", ntp::LeapMode::kSlew},
                                           {"ignore", ntp::LeapMode::kIgnore}}),
            "What it does.")
      .field("sources_smear", &ClientLeap::sources_smear, boolean(), "B16.")
      .field("file", &ClientLeap::file, leap_seconds(), "By its file; without: it has none.")
      .field("file_expired", &ClientLeap::file_expired, boolean(), "A day before the start.");
  return out;
}

Schema<ClientConfig> client_schema() {
  Schema<ClientConfig> out;
  out.table("clock", &ClientConfig::clock, clock_schema(), "The clock that is measured.")
      .table("leap", &ClientConfig::leap, client_leap_schema(), "What it knows of leaps.")
      .table("upsets", &ClientConfig::upsets, upsets_schema(), "What befalls it.")
      .field("steer", &ClientConfig::steer, boolean(), "Whether it steers its clock.")
      .table("rules", &ClientConfig::rules, rules_schema(), "How.")
      .field("accept_step_at", &ClientConfig::accept_step_at, span(), "A person accepts a step.")
      .field("rate_at", &ClientConfig::rate_at, span(), "When somebody else sets its rate.")
      .field("rate_ppm", &ClientConfig::rate_ppm, number(-500, 500), "And to what.")
      .field("min_sources", &ClientConfig::min_sources, integer<std::size_t>(1, 16),
             "How many must agree.")
      .field("auth_selection", &ClientConfig::auth_selection,
             config::one_of<ntp::AuthSelection>({{"require", ntp::AuthSelection::kRequire},
                                                 {"prefer", ntp::AuthSelection::kPrefer},
                                                 {"mix", ntp::AuthSelection::kMix},
                                                 {"ignore", ntp::AuthSelection::kIgnore}}),
             "What authentication counts for.")
      .field("max_stratum", &ClientConfig::max_stratum, integer<std::uint8_t>(0, 15),
             "Servers farther up are not used.")
      .field("clock_error_ppb", &ClientConfig::clock_error_ppb, config::integer64(0, 1'000'000),
             "What the client takes its clock for.")
      .field("max_clock_error_ppb", &ClientConfig::max_clock_error_ppb,
             config::integer64(0, 1'000'000), "And how much it may change unseen.")
      .field("replace_interval", &ClientConfig::replace_interval, span(), "F11.")
      .field("unchecked_updates", &ClientConfig::unchecked_updates,
             integer<std::uint64_t>(0, 1'000'000), "Without a look at dates of certificates.")
      .field("unchecked_quorum", &ClientConfig::unchecked_quorum, integer<std::size_t>(1, 64),
             "And how many must agree then.")
      .field("last_good", &ClientConfig::last_good, config::maybe(signed_span()),
             "The last time known to be right, since the start; without: its build's.")
      .field("disk_fails", &ClientConfig::disk_fails, list_of(window()),
             "When nothing can be written or removed.")
      .field("step_at", &ClientConfig::step_at, span(), "When its clock is stepped.")
      .field("step_by", &ClientConfig::step_by, signed_span(), "And by how much.");
  return out;
}

Schema<DnsAnswer> dns_schema() {
  Schema<DnsAnswer> out;
  out.required("name", &DnsAnswer::name, text(255), "The name.")
      .field("from", &DnsAnswer::from, span(), "From this time on.")
      .field("servers", &DnsAnswer::servers, list_of(text(64)), "None: the look-up fails.")
      .field("addresses", &DnsAnswer::addresses, list_of(config::ip_address()), "And before them.")
      .field("gone", &DnsAnswer::gone, boolean(), "It is proved that there are none.")
      .field("more", &DnsAnswer::more, integer<std::uint64_t>(0, 10'000), "And nobody's.");
  return out;
}

Schema<DnsServiceAnswer> service_schema() {
  using T = ntp::ServiceTarget;
  Schema<T> target;
  target.required("target", &T::target, text(255), "A name, or \".\".")
      .field("port", &T::port, integer<std::uint16_t>(0, 65535), "Of key establishment.")
      .field("priority", &T::priority, integer<std::uint16_t>(0, 65535), "RFC 2782.")
      .field("weight", &T::weight, integer<std::uint16_t>(0, 65535), "RFC 2782.");
  using S = DnsServiceAnswer;
  Schema<S> out;
  out.required("pool", &S::pool, text(255), "Whose.")
      .field("from", &S::from, span(), "From this time on.")
      .field("status", &S::status,
             config::one_of<ntp::ServiceStatus>({{"found", ntp::ServiceStatus::kFound},
                                                 {"none", ntp::ServiceStatus::kNone},
                                                 {"failed", ntp::ServiceStatus::kFailed}}),
             "What comes of the look-up.")
      .field("trust", &S::trust,
             config::one_of<ntp::DnsTrust>({{"secure", ntp::DnsTrust::kSecure},
                                            {"insecure", ntp::DnsTrust::kInsecure},
                                            {"bogus", ntp::DnsTrust::kBogus}}),
             "What DNSSEC says.")
      .field("alias", &S::alias, boolean(), "By a CNAME.")
      .field("bad_dates", &S::bad_dates, boolean(), "Signatures whose time is over.")
      .tables("target", &S::targets, target, "The records.", ntp::kMaxTargets);
  return out;
}

Schema<ntp::PollConfig> poll_schema() {
  Schema<ntp::PollConfig> out;
  const auto poll = integer<std::int8_t>(ntp::kLowestPoll, ntp::kHighestPoll);
  out.field("min", &ntp::PollConfig::minpoll, poll, "log2 seconds.")
      .field("max", &ntp::PollConfig::maxpoll, poll, "log2 seconds.")
      .field("iburst", &ntp::PollConfig::iburst, boolean(), "A burst at the start.")
      .field("burst", &ntp::PollConfig::burst, boolean(), "And after a request in vain.")
      .field("presend", &ntp::PollConfig::presend, poll, "Warm up from this interval on.");
  return out;
}

Schema<ntp::SelectOptions> select_schema() {
  using Options = ntp::SelectOptions;
  Schema<Options> out;
  out.field("prefer", &Options::prefer, boolean(), "Used alone while it agrees.")
      .field("trust", &Options::trust, boolean(), "Not outvoted by those without.")
      .field("require", &Options::require, boolean(), "One of them must agree.")
      .field("noselect", &Options::noselect, boolean(), "Measured only.");
  return out;
}

Schema<ntp::NtsSettings> source_nts_schema() {
  Schema<ntp::NtsSettings> out;
  using N = ntp::NtsSettings;
  out.field("required", &N::required, boolean(), "RFC 8915.")
      .field("lookup", &N::lookup,
             config::one_of<ntp::ServerLookup>({{"addresses", ntp::ServerLookup::kAddresses},
                                                {"services", ntp::ServerLookup::kServices},
                                                {"either", ntp::ServerLookup::kEither}}),
             "By which records.")
      .field("trust", &N::trust,
             config::one_of<ntp::ServiceTrust>(
                 {{"secure", ntp::ServiceTrust::kSecure},
                  {"secure_or_suffix", ntp::ServiceTrust::kSecureOrSuffix}}),
             "Of SRV records.")
      .field("suffix", &N::suffix, text(255), "Of targets without proof.");
  return out;
}

Schema<ntp::SourceConfig> source_schema() {
  using Config = ntp::SourceConfig;
  Schema<Config> out;
  out.required("name", &Config::name, text(255), "A name or an address.")
      .field("kind", &Config::kind,
             config::one_of<ntp::SourceKind>(
                 {{"server", ntp::SourceKind::kServer}, {"pool", ntp::SourceKind::kPool}}),
             "Server or pool.")
      .table("poll", &Config::poll, poll_schema(), "When it is asked.")
      .table("select", &Config::select, select_schema(), "How it is used.")
      .field("authenticated", &Config::authenticated, boolean(), "Its replies are proved.")
      .table("nts", &Config::nts, source_nts_schema(), "With it `authenticated` is true too.")
      .field("interleaved", &Config::interleaved, boolean(), "RFC 9769.")
      .field("max_addresses", &Config::max_addresses, integer<std::size_t>(0, 16), "F4.")
      .field("initial_failover_retry_limit", &Config::initial_failover_retry_limit,
             integer<std::uint32_t>(0, 1000), "F5.")
      .field("server_failure_retry_limit", &Config::server_failure_retry_limit,
             integer<std::uint32_t>(0, 1000), "F6.")
      .field("resolve_refresh", &Config::resolve_refresh, span(), "F12.")
      .field("family", &Config::family,
             config::one_of<ntp::FamilyChoice>({{"both", ntp::FamilyChoice::kBoth},
                                                {"ipv4", ntp::FamilyChoice::kV4},
                                                {"ipv6", ntp::FamilyChoice::kV6}}),
             "Of its addresses.");
  return out;
}

Schema<SourceChange> change_schema() {
  using Action = SourceChange::Action;
  Schema<SourceChange> out;
  out.required("at", &SourceChange::at, span(), "When.")
      .required("action", &SourceChange::action,
                config::one_of<Action>({{"add", Action::kAdd},
                                        {"remove", Action::kRemove},
                                        {"change", Action::kChange},
                                        {"online", Action::kOnline},
                                        {"offline", Action::kOffline},
                                        {"burst", Action::kBurst}}),
                "What is done.")
      .table("source", &SourceChange::source, source_schema(), "With which, by its name.");
  return out;
}

Schema<Expectations> expect_schema() {
  using E = Expectations;
  Schema<RequestLimit> limit;
  limit.required("server", &RequestLimit::server, text(64), "Which.")
      .field("min", &RequestLimit::min, integer<std::uint64_t>(0, UINT64_MAX >> 1), "At least.")
      .field("max", &RequestLimit::max, integer<std::uint64_t>(0, UINT64_MAX >> 1), "At most.");
  Schema<Replacement> replacement;
  replacement.required("server", &Replacement::server, text(64), "Which.")
      .required("from", &Replacement::from, span(), "Not before.")
      .required("until", &Replacement::until, span(), "Not after.");
  Schema<SentLimit> sent;
  sent.required("server", &SentLimit::server, text(64), "Which.")
      .required("from", &SentLimit::from, span(), "Counted from here on.")
      .required("until", &SentLimit::until, span(), "And up to here.")
      .required("max", &SentLimit::max, integer<std::uint64_t>(0, 1'000'000), "At most.");
  using L = EstablishmentLimit;
  Schema<L> establishments;
  establishments.required("from", &L::from, span(), "Counted from here on.")
      .required("until", &L::until, span(), "And up to here.")
      .field("min", &L::min, integer<std::uint64_t>(0, 1'000'000), "At least.")
      .required("max", &L::max, integer<std::uint64_t>(0, 1'000'000), "At most.");
  Schema<ExpectedCause> cause;
  cause.required("server", &ExpectedCause::server, text(64), "Which.")
      .required("cause", &ExpectedCause::cause, text(32), "Its cause at the end.");
  using D = ExpectedDrop;
  Schema<D> drop;
  drop.required("target", &D::target, text(255), "Which.")
      .required("cause", &D::cause, text(32), "Why.")
      .required("from", &D::from, span(), "Not before.")
      .required("until", &D::until, span(), "Not after.");
  Schema<E> out;
  out.tables("dropped", &E::dropped, drop, "Servers that SRV records named.")
      .field("dropped_never", &E::dropped_never, list_of(text(255)), "Such that stay.")
      .field("taken_once", &E::taken_once, list_of(text(255)), "Such that are taken, once.");
  out.tables("cause", &E::causes, cause, "Why a server is used or not, at the end.");
  out.field("synchronised", &E::synchronised, boolean(), "At the end.")
      .field("synchronised_within", &E::synchronised_within, span(), "The first time.")
      .field("back_within", &E::back_within, span(), "Synchronised after each restart.")
      .field("settled", &E::settled, span(), "The limits hold from here on.")
      .field("max_error", &E::max_error, span(), "Of the tracked offset.")
      .field("max_uncertainty", &E::max_uncertainty, span(), "As reported.")
      .field("clock_settled", &E::clock_settled, span(), "max_clock_error holds from here on.")
      .field("max_clock_error", &E::max_clock_error, span(), "Of the steered clock itself.")
      .field("max_overshoot", &E::max_overshoot, span(), "Past true time, at any moment.")
      .field("max_steps", &E::max_steps, integer<std::int64_t>(0, 1000), "Of the clock, by us.")
      .field("max_lookups", &E::max_lookups, integer<std::uint64_t>(0, 1'000'000), "Of names.")
      .field("max_lookups_per_hour", &E::max_lookups_per_hour, integer<std::uint64_t>(0, 1'000'000),
             "After the first hour.")
      .field("min_agreeing", &E::min_agreeing, integer<std::uint64_t>(0, 64), "Since settled.")
      .field("reference", &E::reference, list_of(text(64)), "Only these are ever the reference.")
      .field("falsetickers", &E::falsetickers, list_of(text(64)), "At the end.")
      .field("falsetickers_within", &E::falsetickers_within, span(), "The first time.")
      .field("in_use", &E::in_use, list_of(text(64)), "At the end.")
      .field("reasons", &E::reasons, list_of(text(64)), "Each was counted.")
      .field("reasons_never", &E::reasons_never, list_of(text(64)), "None was counted.")
      .field("events", &E::events, list_of(text(64)), "Each happened.")
      .field("events_never", &E::events_never, list_of(text(64)), "None happened.")
      .field("leap_grace", &E::leap_grace, span(), "Before and after the leap all is allowed.")
      .field("min_clock_error", &E::min_clock_error, span(), "At the end.")
      .tables("requests", &E::requests, limit, "How often a server is asked.")
      .tables("sent", &E::sent, sent, "How many requests are sent to a server.")
      .tables("establishments", &E::establishments, establishments, "Of keys.")
      .tables("replaced", &E::replaced, replacement, "When a server is replaced.");
  return out;
}

bool is_reason(const std::string& name) {
  for (std::size_t i = 0; i < ntp::kReplyReasonCount; ++i) {
    if (ntp::name_of(static_cast<ntp::ReplyReason>(i)) == name) return true;
  }
  return false;
}

bool is_event(const std::string& name) {
  for (std::size_t i = 0; i < ntp::kEventKindCount; ++i) {
    if (ntp::name_of(static_cast<ntp::EventKind>(i)) == name) return true;
  }
  return false;
}

bool is_drop(const std::string& name) {
  for (std::size_t i = 1; i < ntp::kTargetDropCount; ++i) {
    if (ntp::name_of(static_cast<ntp::TargetDrop>(i)) == name) return true;
  }
  return false;
}

bool is_cause(const std::string& name) {
  for (std::size_t i = 0; i < ntp::kCauseCount; ++i) {
    if (ntp::name_of(static_cast<ntp::Cause>(i)) == name) return true;
  }
  return false;
}

// Every server that the other tables name is there: a limit on a misspelt one would never fail.
std::string check_names(const Scenario& scenario) {
  std::set<std::string> known;
  for (const ServerConfig& server : scenario.servers) known.insert(server.name);
  for (const RefclockActorConfig& clock : scenario.refclocks) known.insert(clock.name);
  std::vector<std::string> used;
  const auto use = [&](const std::vector<std::string>& names) {
    used.insert(used.end(), names.begin(), names.end());
  };
  for (const DnsAnswer& answer : scenario.dns) use(answer.servers);
  const Expectations& expect = scenario.expect;
  use(expect.reference);
  use(expect.falsetickers);
  use(expect.in_use);
  for (const RequestLimit& limit : expect.requests) used.push_back(limit.server);
  for (const Replacement& replaced : expect.replaced) used.push_back(replaced.server);
  for (const SentLimit& it : expect.sent) used.push_back(it.server);
  for (const ExpectedCause& it : expect.causes) {
    used.push_back(it.server);
    if (!is_cause(it.cause)) return "there is no cause \"" + it.cause + "\"";
  }
  for (const std::string& name : used) {
    if (!known.contains(name))
      return "there is no [[server]] named \"" + name + "\", and no [[refclock]]";
  }
  for (const auto* reasons : {&expect.reasons, &expect.reasons_never}) {
    for (const std::string& name : *reasons) {
      if (!is_reason(name)) return "there is no reason \"" + name + "\"";
    }
  }
  for (const ExpectedDrop& it : expect.dropped) {
    if (!is_drop(it.cause)) return "no server is dropped for \"" + it.cause + "\"";
  }
  for (const auto* events : {&expect.events, &expect.events_never}) {
    for (const std::string& name : *events) {
      if (!is_event(name)) return "there is no event \"" + name + "\"";
    }
  }
  return "";
}

Schema<ScenarioLeap> leap_schema() {
  Schema<ScenarioLeap> out;
  out.field("at", &ScenarioLeap::at, moment(), "00:00:00 UTC of the day after.")
      .field("seconds", &ScenarioLeap::seconds, integer(-1, 1), "1 inserted, -1 deleted, 0 none.");
  return out;
}

Schema<Scenario> scenario_schema() {
  Schema<Scenario> out;
  out.required("title", &Scenario::title, text(), "What it shows.")
      .field("duration", &Scenario::duration, span(), "How long it runs.")
      .field("start", &Scenario::start, moment(), "UTC; without: any time from 2020 to 2050.")
      .table("leap", &Scenario::leap, leap_schema(), "The leap second.")
      .field("seeds", &Scenario::seeds, integer<std::uint64_t>(1, 1000), "How often it is run.")
      .table("client", &Scenario::client, client_schema(), "The client.")
      .tables("server", &Scenario::servers, server_schema(), "The servers.", kMaxServers)
      .tables("refclock", &Scenario::refclocks, refclock_actor_schema(), "The client's clocks.",
              ntp::kMaxRefclocks)
      .tables("dns", &Scenario::dns, dns_schema(), "The names.")
      .tables("service", &Scenario::services, service_schema(), "The pools' SRV records.")
      .tables("source", &Scenario::sources, source_schema(), "The client's sources.",
              ntp::kMaxSources)
      .tables("change", &Scenario::changes, change_schema(), "What the operator does.")
      .table("expect", &Scenario::expect, expect_schema(), "The limits.")
      .check([](const Scenario& scenario) { return check_names(scenario); });
  return out;
}

}  // namespace

Result<Scenario, std::vector<config::Problem>> parse_scenario(const std::string& file,
                                                              const std::string& text_of_file) {
  return config::parse(scenario_schema(), {{file, text_of_file}});
}

}  // namespace timepool::sim
