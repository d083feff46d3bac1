/* A text as commands and words: what is joined to what, and what is inside what. */
#pragma once

#include "providers/command/text.h"

#define COMMANDS_BYTES_MAX 16384u /* of text that is read at once */
#define WORDS_MAX          6000u
#define COMMANDS_MAX       4000u
#define NESTING_MAX        32u
#define COMMAND_NONE       UINT32_MAX

struct word_at {
    uint32_t from; /* in the text */
    uint32_t to;
    uint32_t name;  /* from, or after the last slash of a path */
    uint32_t flags; /* of enum word */
    uint32_t command;
    uint8_t before;  /* '>' or '<' when a redirection leads to it */
    uint8_t methods; /* of enum method; methods_note() */
};

struct command {
    uint32_t parent; /* the command that it is in parentheses of; COMMAND_NONE */
    uint32_t input;  /* the command whose output it reads */
    uint32_t head;   /* word that names the program; COMMAND_NONE */
    uint32_t first;  /* its first word, if it has any; those of others may be between its own */
    uint32_t n_words_before; /* of the parent, when it was opened */
    uint8_t opened_by;       /* the mark that opened it in its parent, or 0 */
    bool is_assigned;        /* its first word is a variable that takes its value */
    bool is_inline;          /* opened by -c or /c of the parent */
};

struct commands {
    const struct text *text;
    struct word_at words[WORDS_MAX];
    size_t n_words;
    struct command commands[COMMANDS_MAX];
    size_t n_commands;
    bool is_incomplete;
};

/* Reads bytes `from` to `to` - 1 of `text`, which is in lower case. */
void commands_read(struct commands *commands, const struct text *text, size_t from, size_t to);

/* Whether a word is `name`, without its folder and .exe. */
bool commands_word_is(const struct commands *commands, const struct word_at *word,
                      const char *name);
/* Whether a word has `part` in it. */
bool commands_word_has(const struct commands *commands, const struct word_at *word,
                       const char *part);
