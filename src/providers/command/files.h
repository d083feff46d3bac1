/* Files that a line fetches and then starts. */
#pragma once

#include "providers/command/commands.h"
#include "providers/command/signals.h"

/* Whether the word is the argument of an option that says where output goes (-o, -OutFile). */
bool file_is_output(const struct commands *commands, size_t index);

/* Whether `word` uses the variable that `assigned` (`name=`, `$name=`) sets. */
bool file_is_variable(const struct commands *commands, const struct word_at *word,
                      const struct word_at *assigned);

/* Notes files that are fetched, and that are started after that. `gives`: of each command. */
void files_note(const struct commands *commands, const uint8_t *gives, unsigned view,
                struct signals *signals);
