// A zone as plain records, for transfers (transfer.h).
#pragma once

#include <vector>

#include "dns/transfer/transfer.h"
#include "dns/zone/zone.h"

namespace timepool::dns {

// The SOA that the zone is answered with.
TransferRecord exported_soa(const Zone& zone);
// All other records, each name's as transfer.h says. Labels of address targets are no names, and
// have none; an alias is followed.
std::vector<TransferRecord> exported_records(const Zone& zone);

}  // namespace timepool::dns
