// The same of its TLS: apart, so that only who speaks it has it.
#include <boost/asio/ssl/impl/src.hpp>
