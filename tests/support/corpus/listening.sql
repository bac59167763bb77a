LISTEN bell

NOTIFY bell

NOTIFY bell, 'with a payload'

SELECT pg_notify('bell', 'of a function')

SELECT pg_listening_channels()

BEGIN

NOTIFY bell, 'first'

NOTIFY bell, 'second'

NOTIFY bell, 'first'

SELECT 'before the commit'

COMMIT

BEGIN

NOTIFY bell, 'never'

ROLLBACK

LISTEN "Another Bell"

NOTIFY "Another Bell", 'x'

UNLISTEN bell

NOTIFY bell, 'not heard'

UNLISTEN *

NOTIFY "Another Bell", 'not heard'

SELECT pg_listening_channels()

BEGIN

LISTEN later

ROLLBACK

NOTIFY later

NOTIFY nobody, 'hears'

NOTIFY

SELECT pg_notify('', 'no channel')

LISTEN again

DISCARD ALL

NOTIFY again, 'not heard'

SELECT count(*) FROM pg_listening_channels()
