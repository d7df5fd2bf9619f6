/* SPDX-License-Identifier: MIT */
/* text.h - what is said to people: a sentence is a number here, its words stand packed in a table of the build.
 * TEXT("words") is the number of a sentence with these words; the first SPB_STATUS_COUNT are those of [status] of the
 * spec, so a status code is the number of its sentence.  The build puts the number in the place of the words after the
 * preprocessor has run (builder/texts.py); the same words have the same number. */
#ifndef SPB_TEXT_H
#define SPB_TEXT_H

#include "status.h"

/* Not a pointer, not a size: words that did not go through TEXT do not compile. */
enum spb_text {
    SPB_TEXT_NONE = 0,          /* nothing to say: it is the sentence of a status that is no error */
    SPB_TEXT_LAST = 255
};

static inline enum spb_text spb_text_of(enum spb_status status) { return (enum spb_text)status; }

#define TEXT(words) SPB_TEXT_MARK words
#define SPB_TEXT_MARK spb_text_of_the_words

#endif
