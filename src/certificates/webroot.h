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
  ~Webroot() override { withdraw(); }

  // Errors: kInvalid for another kind of challenge; the system's.
  Result<void> present(const std::vector<acme::Challenge>& challenges) override;
  void withdraw() override;

 private:
  std::string directory_;
  std::vector<std::string> files_;
};

}  // namespace timepool::certificates
