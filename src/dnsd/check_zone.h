// --check-zone FILE...: reads zone files as the server would and says what is wrong.
#pragma once

#include <string>
#include <vector>

namespace timepool::dnsd {

// Prints one line a file, and one a warning; 0 when all are good, else 1.
int check_zone_files(const std::vector<std::string>& paths);

}  // namespace timepool::dnsd
