// Asio and Beast, compiled once for the whole project (cmake/dependencies.cmake defines
// *_SEPARATE_COMPILATION for everyone else).
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
