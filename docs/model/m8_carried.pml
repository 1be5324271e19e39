/* Small messages in the slot: publish copies WORDS words into it, a dropping subscriber copies them out between two looks
 * at the slot's word; nothing is pinned. Ring of N slots, so that the publisher overtakes the reader at any word.
 * Slot word: 4n+1 sample n is being written, 4n+2 valid.  Promises: a copy that is trusted is the whole of that sample,
 * samples come in order, a loss is counted exactly. */
#ifndef N
#define N 2
#endif
#ifndef MSG
#define MSG 4
#endif
#ifndef WORDS
#define WORDS 2
#endif
#define NB 1
#define SEQ(i) ((i)%N)
#define DATA(i,w) (N+((i)%N)*WORDS+(w))
#define NA (N+N*WORDS)
#define ON_COMMIT(ad,va) skip
#include "tso.h"
#define P 0
byte published;                     /* ghost: the exchange of so many has been done */
proctype Pub() {
  byte n, w;
  do
  :: n == MSG -> break
  :: n < MSG ->
#ifndef NO_WRITING_MARK             /* planted */
     STORE(P,SEQ(n),4*n+1);
#endif
     do
     :: w < WORDS ->
#ifdef WORDS_PLAIN                  /* planted under WEAK: the words are not release stores */
        STORE(P,DATA(n,w),n+1);
#else
        STORE_R(P,DATA(n,w),n+1);
#endif
        w++
     :: else -> break
     od; w = 0;
#ifdef VALID_RELAXED                /* planted under WEAK: the word may overtake what it covers */
     STORE(P,SEQ(n),4*n+2);
#else
     XCHG(P,SEQ(n),4*n+2);
#endif
     d_step { n++; published = n }
  od }
proctype Sub() {
  byte k, next, word, w, got[WORDS]; bool torn;
  do
  :: next == MSG -> break
  :: d_step { next < MSG; word = mem[SEQ(k)] };
     if
     :: word == 4*k+2 ->
        do :: w < WORDS -> got[w] = mem[DATA(k,w)]; w++ :: else -> break od; w = 0;
#ifndef NO_RECHECK                  /* planted */
        word = mem[SEQ(k)];
#endif
        if
        :: word == 4*k+2 ->
           do :: w < WORDS -> assert(got[w] == k+1); w++ :: else -> break od; w = 0;
           assert(k >= next);
           d_step { next = k+1; k = next }
        :: else
        fi
     :: word > 4*k+2 ->             /* overwritten: the oldest that can still be there */
#ifdef JUMP_TOO_FAR                 /* planted: counts a loss that was none */
        k = word/4 - N + 2;
#else
        d_step { k = (word/4 - N + 1 > k -> word/4 - N + 1 : k + 1) };
#endif
        assert(k <= published + 1 && k + N >= word/4 + 1 && k <= word/4 - N + 1)
     :: else                        /* not there yet */
     fi; d_step { word = 0; w = 0; do :: w < WORDS -> got[w] = 0; w++ :: else -> break od; w = 0 }
  od }
init { atomic { run Flush(P); run Pub(); run Sub() } }
