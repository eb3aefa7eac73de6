// The command line that every program shares: --config FILE, --check-config, --print-config,
// --print-reference, --version, --help, and at most one thing of the program's own to do instead
// of running. start() does what needs no running program.
#pragma once

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/schema.h"

namespace timepool::config {

struct Program {
  std::string name;            // "timepool-ntpd"
  std::string summary;         // one sentence for --help
  std::string default_config;  // "/etc/timepool/ntpd.toml"

  // Something else that it does instead of running.
  struct Extra {
    std::string flag;  // "--check-zone"
    std::string doc;
    bool takes_files = false;  // then the configuration is not read
    // A flag that changes what it does; empty: none.
    std::string modifier = {};
    std::string modifier_doc = {};
  };
  std::optional<Extra> extra = std::nullopt;

  // A flag that changes how it runs; empty: none.
  std::string run_flag = {};
  std::string run_flag_doc = {};
};

struct CommandLine {
  enum class Action : unsigned char {
    kRun,
    kCheckConfig,
    kPrintConfig,
    kPrintReference,
    kExtra,
    kExit
  };
  Action action = Action::kRun;
  int exit_status = 0;  // kExit: --help and --version were answered, or the arguments are wrong
  std::string config_path;
  std::vector<std::string> files;  // of Program::extra
  bool modified = false;           // with its modifier
  bool run_flag = false;           // Program::run_flag
};

CommandLine parse_command_line(const Program& program, int argc, const char* const* argv);

template <class T>
struct Start {
  std::optional<T> config;  // absent: leave with exit_status
  int exit_status = 0;
  std::string config_path;  // for reloading
  bool extra = false;       // do Program::extra, with `files` or with the configuration
  std::vector<std::string> files;
  bool modified = false;  // with its modifier
  bool run_flag = false;  // Program::run_flag was given
};

// 0: done; 1: a configuration that is wrong (its problems are on standard error); 2: arguments.
template <class T>
Start<T> start(const Program& program, const Schema<T>& schema, int argc, const char* const* argv) {
  using Action = CommandLine::Action;
  const CommandLine line = parse_command_line(program, argc, argv);
  if (line.action == Action::kExit)
    return {std::nullopt, line.exit_status, {}, false, {}, false, false};
  if (line.action == Action::kPrintReference) {
    std::fputs(reference(schema).c_str(), stdout);
    return {};
  }
  if (line.action == Action::kExtra && program.extra->takes_files) {
    return {std::nullopt, 0, {}, true, line.files, line.modified, false};
  }
  auto config = load(schema, line.config_path);
  if (!config.ok()) {
    std::fprintf(stderr, "%s\n", format(config.error()).c_str());
    return {std::nullopt, 1, line.config_path, false, {}, false, false};
  }
  if (line.action == Action::kRun || line.action == Action::kExtra) {
    return {std::move(config).value(),
            0,
            line.config_path,
            line.action == Action::kExtra,
            {},
            line.modified,
            line.run_flag};
  }
  if (line.action == Action::kPrintConfig) {
    std::fputs(print_config(schema, config.value()).c_str(), stdout);
  } else {
    std::printf("%s: ok\n", line.config_path.c_str());
  }
  return {};
}

}  // namespace timepool::config
