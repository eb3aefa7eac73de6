// Webroot: challenges of HTTP-01 as files that a web server of others serves on port 80:
// DIRECTORY/.well-known/acme-challenge/TOKEN, readable by everybody, gone when they are withdrawn.
// The thread of the keeper.
#pragma once

#include <string>
#include <vector>

#include "certificates/conversation_runner.h"

namespace timepool::certificates {

class Webroot final : public Presenter {
 public:
  // What the web server serves as "/".
  explicit Webroot(std::string directory) : directory_(std::move(directory)) {}
  ~Webroot() override { remove_files(); }

  // Where files come to be, without the final '/'.
  std::string place() const { return directory_ + "/.well-known/acme-challenge"; }
  // Makes the directory that files come into; in a sandbox it must be there. Errors: the system's.
  Result<void> prepare() const;
  // Errors: kInvalid for another kind of challenge; the system's.
  Result<void> present(const std::vector<acme::Challenge>& challenges) override;
  void withdraw(Proved proved) override;

 private:
  void remove_files();

  std::string directory_;
  std::vector<std::string> files_;
};

}  // namespace timepool::certificates
