// The commands of `timepool`, each declared beside what it does, in a file of its own.
#pragma once

#include "cli/args.h"

namespace timepool::cli {

void add_up(Command& root);
void add_query(Command& root);
void add_ntp(Command& root);
void add_ntp_control(Command& ntp);
void add_ntp_clients(Command& ntp);
void add_ntp_acme(Command& ntp);
void add_ntp_keygen(Command& ntp);
void add_ntp_cookie_seed(Command& ntp);
void add_dns(Command& root);
void add_dns_keys(Command& dns);
void add_pool(Command& root);
void add_bench(Command& root);

}  // namespace timepool::cli
