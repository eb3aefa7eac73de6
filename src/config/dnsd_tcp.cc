#include "config/dnsd_tcp.h"

namespace timepool::config {

Schema<DnsdTcpConfig> dnsd_tcp_schema() {
  Schema<DnsdTcpConfig> schema;
  add_connections_fields(schema);
  return schema;
}

}  // namespace timepool::config
