#include "config/command_line.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "sys/version.h"

namespace timepool::config {

CommandLine parse_command_line(const Program& program, int argc, const char* const* argv) {
  using Action = CommandLine::Action;
  CommandLine out;
  out.config_path = program.default_config;
  bool check = false;
  bool print = false;
  bool reference = false;
  CLI::App app(program.summary, program.name);
  app.set_version_flag("--version", program.name + " " + std::string(sys::version()));
  app.add_option("--config,-c", out.config_path, "Configuration file; conf.d/*.toml beside it adds")
      ->capture_default_str();
  auto* actions = app.add_option_group("instead of running");
  actions->add_flag("--check-config", check, "Check the configuration and leave");
  actions->add_flag("--print-config", print, "Print the effective configuration and leave");
  actions->add_flag("--print-reference", reference, "Print every setting, as AsciiDoc, and leave");
  actions->require_option(0, 1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    out.exit_status = app.exit(error) == 0 ? 0 : 2;
    out.action = Action::kExit;
    return out;
  }
  if (check) out.action = Action::kCheckConfig;
  if (print) out.action = Action::kPrintConfig;
  if (reference) out.action = Action::kPrintReference;
  return out;
}

}  // namespace timepool::config
