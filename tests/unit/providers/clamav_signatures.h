/* A database for tests: the signature of the self-test, and two for EICAR. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testing.h"

/* In two halves, so that no scanner of this machine takes the test for it. */
#define EICAR_TEXT                                                                                 \
    "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-"                                                          \
    "STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

/* Writes `text` as the file `name` of `folder`. */
static inline void signature_file(const char *folder, const char *name, const char *text)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static inline void eicar_signatures(const char *folder)
{
    char hex[2 * sizeof(EICAR_TEXT)];
    char text[1024];

    for (size_t i = 0; i < strlen(EICAR_TEXT); i++) {
        snprintf(hex + 2 * i, 3, "%02x", (unsigned char)EICAR_TEXT[i]);
    }
    snprintf(text, sizeof(text), "Eicar-Test:0:0:%s\nEicar-Any:0:*:%s\n", hex, hex);
    signature_file(folder, "eicar.ndb", text);
}
