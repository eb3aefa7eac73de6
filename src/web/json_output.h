// The manager's views as JSON texts, as the API gives them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "service/intake.h"
#include "service/manager.h"
#include "service/views.h"

namespace timepool::web {

std::string server_json(const service::ServerView& view);
std::string servers_json(const std::vector<service::ServerView>& views);
std::string server_detail_json(const service::ServerDetail& detail);
// Of the zone `zone`: each name with how it came by its servers.
std::string names_json(const std::string& zone,
                       const std::map<std::string, pool::NameReport>& names);
std::string monitors_json(const std::vector<store::Monitor>& monitors);
std::string new_monitor_json(const service::NewMonitor& monitor);
std::string handed_out_json(const service::HandedOutShares& shares);
std::string work_json(const std::vector<service::WorkItem>& items, Duration interval);

// The NTP Pool's /scores/<ip>/json and /scores/<ip>/log (ntppool/data-api). Our own score stands
// there as monitor 0, "recentmedian".
std::string scores_json(const service::Manager::History& history);
std::string scores_csv(const service::Manager::History& history);
inline constexpr std::string_view kMedianName = "recentmedian";

}  // namespace timepool::web
