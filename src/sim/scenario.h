// Scenario: what a file in tests/scenarios declares: a world and the limits within which the client
// must stay in it. The format is TOML; src/sim/scenario.cc holds the table of its keys.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/schema.h"
#include "sim/client_actor.h"
#include "sim/refclock_actor.h"
#include "sim/server_actor.h"

namespace timepool::sim {

// From `from` on, `name` has the addresses of these servers; none: the look-up fails.
struct DnsAnswer {
  std::string name;
  Duration from;
  std::vector<std::string> servers;
  std::vector<IpAddress> addresses;  // before those of the servers; nobody need be there
  std::uint64_t more = 0;            // and so many addresses where nobody is
  bool gone = false;                 // DNS proves that there are none
};

// From `from` on these are the SRV records of a pool.
struct DnsServiceAnswer {
  std::string pool;
  Duration from;
  ntp::ServiceStatus status = ntp::ServiceStatus::kFound;
  ntp::DnsTrust trust = ntp::DnsTrust::kSecure;
  bool alias = false;
  bool bad_dates = false;
  std::vector<ntp::ServiceTarget> targets;
};

// A server of a pool is dropped for this reason in this time.
struct ExpectedDrop {
  std::string target;
  std::string cause;
  Duration from;
  Duration until;
};

// How often the client may and must ask a server.
struct RequestLimit {
  std::string server;
  std::uint64_t min = 0;
  std::uint64_t max = UINT64_MAX >> 1;
};

// How many requests the client sends to a server in this time.
struct SentLimit {
  std::string server;
  Duration from;
  Duration until;
  std::uint64_t max = 0;
};

// How many key establishments the client begins in this time, with all servers.
struct EstablishmentLimit {
  Duration from;
  Duration until;
  std::uint64_t min = 0;
  std::uint64_t max = 0;
};

// The server is replaced by another address of its source in this time.
struct Replacement {
  std::string server;
  Duration from;
  Duration until;
};

// What selection makes of a server at the end.
struct ExpectedCause {
  std::string server;
  std::string cause;
};

// A limit of zero and an empty list are not checked.
struct Expectations {
  bool synchronised = true;      // at the end
  Duration synchronised_within;  // the first time
  Duration back_within;          // after each restart
  Duration settled;              // the limits below hold from this time on
  Duration max_error;            // of the tracked offset
  Duration max_uncertainty;
  Duration clock_settled;                  // the limit of the clock's error holds from here on
  Duration max_clock_error;                // of the system clock itself, when it is steered
  Duration min_clock_error;                // at the end: a clock that must be left alone
  Duration max_overshoot;                  // of its first correction, past true time
  std::int64_t max_steps = 0;              // that the client may make; always checked
  std::uint64_t max_lookups = 0;           // of names
  std::uint64_t max_lookups_per_hour = 0;  // in any hour after the first
  std::uint64_t min_agreeing = 0;          // sources that agree, since settled
  std::vector<std::string> reference;      // only these are ever the reference
  std::vector<std::string> falsetickers;   // these and no others at the end
  Duration falsetickers_within;            // all of them named for the first time
  std::vector<std::string> in_use;         // these and no others at the end
  std::vector<std::string> reasons;        // each was counted
  std::vector<std::string> reasons_never;
  std::vector<std::string> events;  // each happened
  std::vector<std::string> events_never;
  // So long before and after the leap nothing is asked of the client.
  Duration leap_grace = Duration::seconds(2);
  std::vector<RequestLimit> requests;
  std::vector<Replacement> replaced;
  std::vector<SentLimit> sent;
  std::vector<EstablishmentLimit> establishments;
  std::vector<ExpectedCause> causes;
  std::vector<ExpectedDrop> dropped;
  std::vector<std::string> dropped_never;  // targets
  std::vector<std::string> taken_once;     // targets that are taken, and never again
};

struct ScenarioLeap {
  std::optional<UnixTime> at;
  int seconds = 0;
};

struct Scenario {
  std::string title;
  std::optional<UnixTime> start;
  ScenarioLeap leap;
  Duration duration = Duration::seconds(3600);
  std::uint64_t seeds = 3;
  ClientConfig client;
  std::vector<ServerConfig> servers;
  std::vector<RefclockActorConfig> refclocks;
  std::vector<DnsAnswer> dns;
  std::vector<DnsServiceAnswer> services;
  std::vector<ntp::SourceConfig> sources;
  std::vector<SourceChange> changes;
  Expectations expect;
};

// Reads a scenario; the problems have file, line and column.
Result<Scenario, std::vector<config::Problem>> parse_scenario(const std::string& file,
                                                              const std::string& text);

// What a run showed.
struct Outcome {
  std::uint64_t seed = 0;
  std::uint64_t trace_hash = 0;
  std::uint64_t trace_entries = 0;
  Duration worst_error;                 // since settled
  std::vector<std::string> violations;  // empty: all limits were kept
  std::vector<TimedEvent> events;       // of the client
  std::vector<TimedEstablishment> establishments;
};

Outcome run(const Scenario& scenario, std::uint64_t seed);

}  // namespace timepool::sim
