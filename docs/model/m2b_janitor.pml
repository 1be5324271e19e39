/* Names, inodes and open-file-description locks: owners, readers, deaths and janitors race.  (System calls: no TSO.)
 *   -DTOPIC  the epoch file of a topic: users lock it shared, the remover exclusively
 *   default  a segment: its owner locks the owner byte exclusively, readers the readers byte shared, a janitor both
 *   -DNAMED  the owner comes back under the same name and takes over what is there (durable); else it makes a new one
 * A fcntl lock over both bytes is one step.  Everybody may be killed anywhere: the kernel then drops the locks.
 * Promises: nobody unlinks a segment that has a living owner or an attached reader; a segment has one owner; who has
 * attached holds the inode that the name leads to, until it leaves. */
#define I 8
byte name, made;                        /* the inode that the name leads to; 0: none */
byte owner[I], readers[I], janitor[I];  /* locks: owner byte exclusive, readers byte shared, janitor's on both */
byte live, kills = 1;
#ifndef ROUNDS
#define ROUNDS 1                        /* of readers and janitors; owners do two */
#endif
#define MAY_DIE kills > 0 -> kills--
proctype Owner(byte me) { byte i, rounds; bool ok;
  do
  :: rounds == 2 -> break
  :: rounds < 2 -> rounds++;
retry: skip;
#ifdef TOPIC
     atomic { if :: name == 0 -> made++; name = made :: else fi; i = name };            /* open(O_CREAT) */
     atomic { if :: !owner[i] && !janitor[i] -> readers[i]++; ok = 1 :: else -> ok = 0 fi };
#else
     if
     :: name == 0 ->
#ifdef LOCK_AFTER_NAME                  /* planted: the segment gets its name before its lock */
        atomic { if :: name == 0 -> made++; i = made; name = i; ok = 1 :: else -> goto retry fi };
        atomic { if :: !owner[i] && !janitor[i] -> owner[i] = me; ok = 1 :: else -> ok = 0 fi }
#else
        atomic { made++; i = made; owner[i] = me };                                     /* unnamed, locked */
        atomic { if :: name == 0 -> name = i; ok = 1 :: else -> owner[i] = 0; ok = 0 fi }; /* linkat: EEXIST */
#endif
     :: name != 0 ->
#ifdef NAMED
        i = name; if :: i == 0 -> goto retry :: else fi;
        atomic { if :: !owner[i] && !janitor[i] -> owner[i] = me; ok = 1 :: else -> ok = 0 fi }
#else
        ok = 0                                                                          /* a name of its own: not now */
#endif
     fi;
#endif
     if
     :: !ok -> if :: goto retry :: skip fi          /* in use: try again or give up */
     :: else ->
#ifndef NO_CHECK_JOIN
        if :: name != i ->                          /* fstat(fd) == stat(path) */
#ifdef TOPIC
              readers[i]--;
#else
              owner[i] = 0;
#endif
              goto retry
           :: else fi;
#endif
        atomic { live++; assert(name == i) };
#ifndef TOPIC
        assert(live == 1);
#endif
        atomic { assert(name == i); live-- };
#ifdef TOPIC
        readers[i]--
#else
        owner[i] = 0                                /* dies or leaves: the file stays for a janitor */
#endif
     fi; i = 0; ok = 0
  od }
#ifndef TOPIC
proctype Reader() { byte i, rounds; bool ok;
  do
  :: rounds == ROUNDS -> break
  :: rounds < ROUNDS -> rounds++; i = name;              /* open */
     if
     :: i == 0
     :: else ->
#ifndef NO_READER_LOCK                              /* planted */
        atomic { if :: !janitor[i] -> readers[i]++; ok = 1 :: else -> ok = 0 fi };
#else
        ok = 1; 
#endif
        if
        :: !ok                                      /* a janitor is at work: gives up */
        :: else ->
#ifndef NO_CHECK_READER                             /* planted */
           if
           :: name != i
           :: else ->
#endif
              atomic { assert(name == i) };         /* attached: ... */
              atomic { assert(name == i) }          /* ... whatever its owner does meanwhile */
#ifndef NO_CHECK_READER
           fi
#endif
           ;
#ifndef NO_READER_LOCK
           readers[i]--
#endif
        fi
     fi; i = 0; ok = 0
  od }
#endif
#ifdef OWNER_BYTE_ONLY                              /* planted: looks for an owner and forgets the readers */
#define FREE (!owner[i] && !janitor[i])
#else
#define FREE (!owner[i] && !janitor[i] && !readers[i])
#endif
proctype Janitor(byte me) { byte i, rounds; bool ok;
  do
  :: rounds == ROUNDS -> break
  :: rounds < ROUNDS -> rounds++; i = name;
     if
     :: i == 0
     :: else ->
#ifdef TEST_ONLY                                    /* planted: F_OFD_GETLK, then unlink */
        atomic { ok = FREE };
#else
        atomic { ok = FREE; if :: ok -> janitor[i] = me :: else fi };
#endif
        if
        :: !ok
        :: ok ->
#ifdef UNLOCK_EARLY                                 /* planted: unlocks before it unlinks */
           if :: name == i -> janitor[i] = 0; name = 0 :: else -> janitor[i] = 0 fi
#elif defined(NO_CHECK_JANITOR)
           name = 0
#else
           if :: name == i -> name = 0 :: else fi   /* two steps, stat and unlink: the lock covers both */
#endif
        :: ok && MAY_DIE                            /* killed before it unlinks; the kernel unlocks */
        fi;
#ifndef TEST_ONLY
        if :: ok && janitor[i] == me -> janitor[i] = 0 :: else fi
#endif
     fi; i = 0; ok = 0
  od }
init { atomic { run Owner(1); run Owner(2); run Janitor(3); run Janitor(4)
#ifndef TOPIC
  ; run Reader()
#endif
  } }
