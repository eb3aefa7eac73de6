#include "cli/args.h"

#include <CLI/CLI.hpp>
#include <cstdio>

namespace timepool::cli {
namespace {

// A number alone is seconds; else what parse_duration takes.
Result<Duration> duration_of(const std::string& text) {
  const bool bare = !text.empty() && text.find_first_not_of("0123456789.") == std::string::npos;
  const Duration out = TRY(parse_duration(bare ? text + "s" : text));
  if (out < Duration()) return fail(Error{ErrorCode::kInvalid, "duration", "must not be negative"});
  return out;
}

// An address and port; port 0 ("any free one") too, which parse_endpoint() refuses.
Result<Endpoint> endpoint_of(const std::string& text, std::uint16_t default_port) {
  if (!text.ends_with(":0") || text.ends_with("::0")) return parse_endpoint(text, default_port);
  Endpoint out = TRY(parse_endpoint(text.substr(0, text.size() - 2), 1));
  out.port = 0;
  return out;
}

// Declares an option whose text `parse` turns into a value for `store`; the error becomes CLI11's.
template <class Parse, class Store>
CLI::Option* add(CLI::App* app, const std::string& names, const std::string& help,
                 const std::string& type, Parse parse, Store store) {
  const auto take = [parse, store](const CLI::results_t& texts) {
    const auto value = parse(texts.back());
    if (!value.ok()) return false;
    store(*value);
    return true;
  };
  const auto check = [parse](const std::string& text) {
    const auto value = parse(text);
    return value.ok() ? std::string() : value.error().text();
  };
  return app->add_option(names, take, help)->check(CLI::Validator(check, ""))->type_name(type);
}

template <class Int>
CLI::Option* ranged(CLI::Option* option, Int low, Int high) {
  CLI::Range range(low, high);
  range.description("");
  return option->check(range)->type_name("N");
}

}  // namespace

Command Command::command(const std::string& name, const std::string& help) {
  CLI::App* child = app_->add_subcommand(name, help);
  child->footer("");  // else the parent's
  app_->require_subcommand(1);
  return {child, chosen_};
}

Command& Command::footer(const std::string& text) {
  app_->footer(text);
  return *this;
}

Command& Command::flag(const std::string& names, bool& value, const std::string& help) {
  app_->add_flag(names, value, help);
  return *this;
}

Command& Command::option(const std::string& names, std::string& value, const std::string& help) {
  app_->add_option(names, value, help)->type_name("TEXT");
  return *this;
}

Command& Command::option(const std::string& names, std::optional<std::string>& value,
                         const std::string& help) {
  app_->add_option(names, value, help)->type_name("TEXT");
  return *this;
}

Command& Command::option(const std::string& names, int& value, int low, int high,
                         const std::string& help) {
  ranged(app_->add_option(names, value, help), low, high)->capture_default_str();
  return *this;
}

Command& Command::option(const std::string& names, std::optional<int>& value, int low, int high,
                         const std::string& help) {
  ranged(app_->add_option(names, value, help), low, high);
  return *this;
}

Command& Command::option(const std::string& names, std::uint64_t& value, std::uint64_t low,
                         std::uint64_t high, const std::string& help) {
  ranged(app_->add_option(names, value, help), low, high)->capture_default_str();
  return *this;
}

Command& Command::option(const std::string& names, Duration& value, const std::string& help) {
  add(app_, names, help, "DURATION", duration_of, [&value](Duration d) {
    value = d;
  })->default_str(format(value));
  return *this;
}

Command& Command::option(const std::string& names, std::optional<Duration>& value,
                         const std::string& help) {
  add(app_, names, help, "DURATION", duration_of, [&value](Duration d) { value = d; });
  return *this;
}

Command& Command::option(const std::string& names, Endpoint& value, std::uint16_t default_port,
                         const std::string& help) {
  const auto parse = [default_port](const std::string& t) { return endpoint_of(t, default_port); };
  add(app_, names, help, "ADDR:PORT", parse, [&value](const Endpoint& e) {
    value = e;
  })->default_str(format(value));
  return *this;
}

Command& Command::option(const std::string& names, std::optional<Endpoint>& value,
                         std::uint16_t default_port, const std::string& help) {
  const auto parse = [default_port](const std::string& t) { return endpoint_of(t, default_port); };
  add(app_, names, help, "ADDR:PORT", parse, [&value](const Endpoint& e) { value = e; });
  return *this;
}

Command& Command::option(const std::string& names, std::optional<Prefix>& value,
                         const std::string& help) {
  const auto parse = [](const std::string& text) { return parse_prefix(text); };
  add(app_, names, help, "PREFIX", parse, [&value](const Prefix& prefix) { value = prefix; });
  return *this;
}

Command& Command::positional(const std::string& name, std::string& value, const std::string& help) {
  app_->add_option(name, value, help)->required()->type_name("");
  return *this;
}

Command& Command::positional(const std::string& name, std::optional<std::string>& value,
                             const std::string& help) {
  app_->add_option(name, value, help)->type_name("");
  return *this;
}

Command& Command::require(const std::string& name) {
  app_->get_option(name)->required();
  return *this;
}

Command& Command::action(std::function<int()> run) {
  app_->final_callback([chosen = chosen_, run = std::move(run)] { *chosen = run; });
  return *this;
}

Program::Program(const std::string& name, const std::string& help, const std::string& version)
    : app_(std::make_unique<CLI::App>(help, name)) {
  app_->set_version_flag("--version", name + " " + version);
  app_->option_defaults()->always_capture_default(false);
}

Program::~Program() = default;

Command Program::root() {
  return {app_.get(), &chosen_};
}

int Program::run(int argc, const char* const* argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::Success& result) {
    return app_->exit(result);
  } catch (const CLI::ParseError& wrong) {
    app_->exit(wrong);
    return 2;
  }
  return chosen_ ? chosen_() : 0;
}

}  // namespace timepool::cli
