// PoolRunner: one run of `timepool up`: starts the programs in their order, watches them, tells how
// things are, and sums up. One thread; a stop asked for by signal ends every wait.
#pragma once

#include <functional>
#include <string>

#include "client/manager_api.h"
#include "up/display.h"
#include "up/plan.h"
#include "up/supervisor.h"

namespace timepool::up {

class PoolRunner {
 public:
  // `stopping` says whether the run is to end now. All arguments outlive this.
  PoolRunner(const Plan& plan, Display& display, std::function<bool()> stopping);

  // Everything but the client, which starts once DNS has servers. Errors: a program that does not
  // come up, with its last lines.
  Result<void> start();
  // Until `stopping`. Errors: a program that keeps failing.
  Result<void> run();
  boost::json::object summary();

 private:
  Result<void> start_manager();
  Result<void> start_servers();
  Result<void> register_servers();
  Result<void> start_monitors();
  Result<void> start_dns();
  // The zone's DS records into a file, for who validates.
  Result<void> write_anchor();
  Result<void> start_authority();
  // Their names, in DNS before the authority looks.
  Result<void> name_members();
  // Until members have certificates, so that monitors find nothing amiss; not for long.
  Result<void> await_certificates();
  Result<void> start_client_when_possible();
  Result<void> start_nts_client_when_possible();
  Result<void> launch(const std::string& program, const std::string& name, const std::string& toml,
                      boost::json::object details);
  // Waits until `ready` holds. Errors: `name` ended meanwhile, or it took too long.
  Result<void> wait_for(const std::string& name, const std::function<bool()>& ready);
  bool answers_control(const std::string& name) const;

  void look();
  void look_at_clients();

  const Plan& plan_;
  Display& display_;
  std::function<bool()> stopping_;
  Supervisor supervisor_;
  client::ManagerApi reader_;
  std::string admin_token_;
  MonoTime started_;
  bool client_started_ = false;
  bool nts_client_started_ = false;
  PoolState state_;
};

}  // namespace timepool::up
