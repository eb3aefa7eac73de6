#include "config/command_line.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "base/time.h"
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
  // RFC 8633 3.1: how old a program is can be seen.
  app.set_version_flag("--version", program.name + " " + std::string(sys::version()) + " (" +
                                        format_utc(sys::build_date(), 0).substr(0, 10) + ")");
  app.add_option("--config,-c", out.config_path,
                 "Configuration file; X.d/*.toml beside X.toml adds to it")
      ->capture_default_str();
  auto* actions = app.add_option_group("instead of running");
  actions->add_flag("--check-config", check, "Check the configuration and leave");
  actions->add_flag("--print-config", print, "Print the effective configuration and leave");
  actions->add_flag("--print-reference", reference, "Print every setting, as AsciiDoc, and leave");
  bool extra = false;
  if (program.extra && program.extra->takes_files) {
    actions->add_option(program.extra->flag, out.files, program.extra->doc)->expected(1, -1);
  } else if (program.extra) {
    auto* flag = actions->add_flag(program.extra->flag, extra, program.extra->doc);
    if (!program.extra->modifier.empty()) {
      app.add_flag(program.extra->modifier, out.modified, program.extra->modifier_doc)->needs(flag);
    }
  }
  if (!program.run_flag.empty()) {
    actions->excludes(app.add_flag(program.run_flag, out.run_flag, program.run_flag_doc));
  }
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
  if (extra || !out.files.empty()) out.action = Action::kExtra;
  return out;
}

}  // namespace timepool::config
