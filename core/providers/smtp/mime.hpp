#pragma once

#include <string>
#include <string_view>

/// Writes mails of RFC 5322 and MIME so that nothing can be injected: values go through an
/// encoding that has no line break, and the boundary holds a pair of characters that neither
/// encoding of a body can give. All text in is UTF-8, malformed or not; all bytes out are ASCII,
/// line ends CRLF, lines at most 76 columns but for addresses and links.
namespace fanfare::mime {

/// Appends "Name: value" of a free text, as RFC 2047 words where it must be.
void append_text_header(std::string_view name, std::string_view value, std::string& out);

/// Appends "Name: display <address>"; the address is put as it is.
void append_mailbox_header(std::string_view name, std::string_view display,
                           std::string_view address, std::string& out);

/// Appends "Name: value" of visible ASCII; anything else becomes '-'.
void append_token_header(std::string_view name, std::string_view value, std::string& out);

/// Appends the header lines and the body of an entity of `type` ("text/plain"): quoted-printable,
/// or base64 where that is shorter. Ends with CRLF. Line breaks of any kind become CRLF.
void append_entity(std::string_view type, std::string_view text, std::string& out);

/// Appends both entities as multipart/alternative, headers first.
void append_alternative(std::string_view plain, std::string_view html, std::string& out);

}  // namespace fanfare::mime
