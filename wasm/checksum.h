/** CRC32C (RFC 3720, appendix B.4): what is read from storage is checked before it is believed. */
#ifndef ISOVEC_CHECKSUM_H
#define ISOVEC_CHECKSUM_H

#include "platform.h"

u32 crc32c(const u8 *bytes, u32 count);

#endif
