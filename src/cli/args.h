// Command: one command of a program and its options, as text on the command line becomes values.
// The parser behind it (CLI11) is slow to compile, so that only args.cc includes it; a command's
// own file declares its options and what runs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/duration.h"
#include "base/ip.h"

namespace CLI {
class App;
}

namespace timepool::cli {

// The values that an option writes into must outlive the parse: keep them in a shared_ptr that the
// action captures.
class Command {
 public:
  // `chosen` gets the action of the command that the command line names.
  Command(CLI::App* app, std::function<int()>* chosen) : app_(app), chosen_(chosen) {}

  Command command(const std::string& name, const std::string& help);
  // Free text after the options: examples.
  Command& footer(const std::string& text);

  Command& flag(const std::string& names, bool& value, const std::string& help);
  Command& option(const std::string& names, std::string& value, const std::string& help);
  Command& option(const std::string& names, std::optional<std::string>& value,
                  const std::string& help);
  Command& option(const std::string& names, int& value, int low, int high, const std::string& help);
  Command& option(const std::string& names, std::optional<int>& value, int low, int high,
                  const std::string& help);
  Command& option(const std::string& names, std::uint64_t& value, std::uint64_t low,
                  std::uint64_t high, const std::string& help);
  // "1.5s"; a number alone is seconds.
  Command& option(const std::string& names, Duration& value, const std::string& help);
  Command& option(const std::string& names, std::optional<Duration>& value,
                  const std::string& help);
  // "127.0.0.1:8080"
  Command& option(const std::string& names, Endpoint& value, std::uint16_t default_port,
                  const std::string& help);
  Command& option(const std::string& names, std::optional<Endpoint>& value,
                  std::uint16_t default_port, const std::string& help);
  // "192.0.2.0/24"
  Command& option(const std::string& names, std::optional<Prefix>& value, const std::string& help);
  // One value that must stand there, without a dash.
  Command& positional(const std::string& name, std::string& value, const std::string& help);
  Command& positional(const std::string& name, std::optional<std::string>& value,
                      const std::string& help);
  // The option, named as it was declared, must be given.
  Command& require(const std::string& name);

  // What the command does; its return value is the exit status. A command without an action needs
  // one of its own commands.
  Command& action(std::function<int()> run);

 private:
  CLI::App* app_;
  std::function<int()>* chosen_;
};

class Program {
 public:
  // `version` is what --version prints after the name.
  Program(const std::string& name, const std::string& help, const std::string& version);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  Command root();
  // Parses, runs the chosen action, and gives the exit status: 2 for a wrong command line.
  int run(int argc, const char* const* argv);

 private:
  std::unique_ptr<CLI::App> app_;
  std::function<int()> chosen_;
};

}  // namespace timepool::cli
