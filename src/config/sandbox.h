// [sandbox] of a daemon: what it may still do once it has opened what it needs.
#pragma once

#include "config/schema.h"
#include "sys/sandbox.h"

namespace timepool::config {

Schema<sys::SandboxSettings> sandbox_schema();

}  // namespace timepool::config
