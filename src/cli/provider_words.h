/* Words about providers and the service that several commands share. */
#pragma once

#include <jansson.h>
#include <stdint.h>

struct pes_service;

/* What a mode means: "nothing is stopped". */
const char *mode_words(uint32_t mode);

/* "SIGSEGV 2, SIGKILL 1" or "" for a provider. Return: heap, or NULL without memory. */
char *crash_words_dup(const struct pes_service *service, uint32_t provider);

/* {"SIGSEGV": 2}; what ended by itself counts as "exit". */
json_t *crash_json(const struct pes_service *service, uint32_t provider);
