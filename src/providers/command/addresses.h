/* Addresses in a text, and what is remarkable about them. */
#pragma once

#include "providers/command/signals.h"

/* Patterns of addresses whose installers are well known: host and path, with * for anything. */
struct known_addresses {
    char **patterns;
    size_t n;
};

/* Whether `address` (without its scheme) fits one of them. */
bool address_is_known(const struct known_addresses *known, const uint8_t *address, size_t n);

/* Notes every address of a plain text. */
void addresses_note(const struct text *plain, unsigned view, const struct known_addresses *known,
                    struct signals *signals);

/* Notes bytes `from` to `to` - 1 of the text, an address without a scheme. */
void address_note_bare(const struct text *plain, size_t from, size_t to, unsigned view,
                       const struct known_addresses *known, struct signals *signals);
