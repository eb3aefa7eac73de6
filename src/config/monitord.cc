#include "config/monitord.h"

#include "config/log_level.h"

namespace timepool::config {
namespace {

constexpr std::uint16_t kNtpPort = 123;
constexpr std::uint16_t kDnsPort = 53;

Schema<MonitordConfig::Manager> manager_schema() {
  using Manager = MonitordConfig::Manager;
  const auto retry = duration(Duration::milliseconds(10), Duration::seconds(86400));
  Schema<Manager> schema;
  schema.required("url", &Manager::url, http_url(), "The manager: \"https://pool.example\".")
      .required("token_file", &Manager::token_file, path(),
                "File with this monitor's token, alone on its first line (made by "
                "`timepool pool monitor add NAME`).")
      .field("ca_file", &Manager::ca_file, text(),
             "Certificates in PEM that may have signed the manager's; empty: the system's.")
      .field("wait", &Manager::wait, duration(Duration::seconds(1), Duration::seconds(300)),
             "How long the manager may hold a request for work while there is none.")
      .field("retry_min", &Manager::retry_min, retry,
             "The wait after the first failure to reach the manager; doubled after each, with "
             "a random part.")
      .field("retry_max", &Manager::retry_max, retry, "The longest wait between two tries.")
      .check([](const Manager& m) -> std::string {
        return m.retry_min > m.retry_max ? "retry_min is longer than retry_max" : "";
      });
  return schema;
}

Schema<MonitordConfig::Probe> probe_schema() {
  using Probe = MonitordConfig::Probe;
  Schema<Probe> schema;
  schema
      .field("max_parallel", &Probe::max_parallel, integer(1, 1024),
             "Servers probed at one time, each on a socket of its own.")
      .field("spacing", &Probe::spacing,
             duration(Duration::milliseconds(10), Duration::seconds(60)),
             "Time between the samples of one server.")
      .field("timeout", &Probe::timeout,
             duration(Duration::milliseconds(10), Duration::seconds(30)),
             "A sample without an answer after this is a time-out.");
  return schema;
}

Schema<MonitordConfig::NtsTrust> trust_schema() {
  using Trust = MonitordConfig::NtsTrust;
  Schema<Trust> schema;
  schema
      .required("word", &Trust::word, text(64),
                "As the manager says it (`[nts] trust` of timepool-poold). For \"system\" the file "
                "takes the place of the system's.")
      .required("file", &Trust::file, path(), "Certificates in PEM of the authorities that count.");
  return schema;
}

Schema<MonitordConfig::Nts> nts_schema() {
  using Nts = MonitordConfig::Nts;
  Schema<Nts> schema;
  schema
      .field("max_parallel", &Nts::max_parallel, integer(1, 256),
             "Servers whose NTS is checked at one time, each for some seconds.")
      .field("timeout", &Nts::timeout, duration(Duration::milliseconds(100), Duration::seconds(30)),
             "How long a key establishment may take, from the connection to the last record. NTP "
             "requests keep to [probe] spacing and timeout.")
      .field("look_up", &Nts::look_up, boolean(),
             "Whether a server's name has to lead to its address, as this monitor sees it. What a "
             "resolver does not answer is nobody's fault.")
      .field("resolvers", &Nts::resolvers, list_of(endpoint(kDnsPort), 8),
             "Name servers that are asked for names, recursive or authoritative; empty: the "
             "system's resolver.")
      .tables("trust", &Nts::trust, trust_schema(),
              "Roots that certificates have to lead to. Without any only the system's are known, "
              "as \"system\".",
              16)
      .check([](const Nts& nts) -> std::string {
        for (std::size_t i = 0; i < nts.trust.size(); ++i) {
          for (std::size_t j = 0; j < i; ++j) {
            if (nts.trust[i].word == nts.trust[j].word) {
              return "trust: two files for \"" + nts.trust[i].word + "\"";
            }
          }
        }
        return "";
      });
  return schema;
}

Schema<MonitordConfig::Sanity> sanity_schema() {
  using Sanity = MonitordConfig::Sanity;
  using Mode = MonitordConfig::SanityMode;
  Schema<Sanity> schema;
  schema
      .field("mode", &Sanity::mode,
             one_of<Mode>({{"auto", Mode::kAuto},
                           {"servers", Mode::kServers},
                           {"kernel", Mode::kKernel},
                           {"none", Mode::kNone}}),
             "How this machine's own clock is judged before it judges others: against `servers`, "
             "by what the kernel says of its synchronisation, or not at all. auto: servers when "
             "there are any, else the kernel.")
      .field("servers", &Sanity::servers, list_of(endpoint(kNtpPort), 32),
             "NTP servers that are known to be right.")
      .field("max_offset", &Sanity::max_offset,
             duration(Duration::microseconds(1), Duration::seconds(10)),
             "The clock is sane while it is nearer than this to enough of the servers.")
      .field("interval", &Sanity::interval,
             duration(Duration::milliseconds(100), Duration::seconds(86400)),
             "Time between two checks.")
      .check([](const Sanity& s) -> std::string {
        return s.mode == Mode::kServers && s.servers.empty()
                   ? "mode = \"servers\" needs at least one in servers"
                   : "";
      });
  return schema;
}

}  // namespace

Schema<MonitordConfig> monitord_schema() {
  using Config = MonitordConfig;
  Schema<Config::Report> report;
  report
      .field("max_results", &Config::Report::max_results, integer(1, 1000), "Results in one batch.")
      .field("interval", &Config::Report::interval,
             duration(Duration::milliseconds(10), Duration::seconds(3600)),
             "The longest that a result waits for others to share its batch.");
  Schema<Config::Spool> spool;
  spool
      .field("directory", &Config::Spool::directory, path(),
             "Where batches are kept until the manager has acknowledged them.")
      .field("max_bytes", &Config::Spool::max_bytes, byte_count(64 << 10, std::int64_t{1} << 40),
             "When the batches take more than this, the oldest are dropped and counted.");
  Schema<Config::Control> control;
  control.field("socket", &Config::Control::socket, text(),
                "Unix socket for reports of this monitor's state; empty: none.");

  Schema<Config> schema;
  schema.field("log_level", &Config::log_level, log_level(), kLogLevelDoc)
      .table("manager", &Config::manager, manager_schema(), "The manager that gives work.")
      .table("probe", &Config::probe, probe_schema(), "How servers are probed.")
      .table("nts", &Config::nts, nts_schema(),
             "How servers' NTS is checked, of those that have a name for it.")
      .table("sanity", &Config::sanity, sanity_schema(), "The monitor's own clock.")
      .table("report", &Config::report, report, "How results are sent.")
      .table("spool", &Config::spool, spool, "Results that are not acknowledged yet.")
      .table("control", &Config::control, control, "Reports for `timepool`.");
  return schema;
}

}  // namespace timepool::config
