/*
 * Version of pes and the visibility of its symbols.
 */
#pragma once

/** Version of this header. */
#define PES_VERSION "0.1.0"

#if defined(__GNUC__)
#define PES_PUBLIC __attribute__((visibility("default")))
#else
#define PES_PUBLIC
#endif
