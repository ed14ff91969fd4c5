// What of Asio is no template: compiled here, and declared only wherever else it is included
// (BOOST_ASIO_SEPARATE_COMPILATION).
#include <boost/asio/impl/src.hpp>
