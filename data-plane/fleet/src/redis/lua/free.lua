-- Takes a session out of a subject's set: its slot is free, also while calls of it are under way.
--
--   KEYS[1] sorted set: sessions, by the end of their idle time
--   ARGV: 1 session
-- How many slots were freed.

return redis.call('ZREM', KEYS[1], ARGV[1])
