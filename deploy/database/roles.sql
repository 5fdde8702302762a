-- Run once by a database administrator, before `registry database migrate`.
--   psql -v owner_password=… -v application_password=… -v worker_password=… \
--     -f deploy/database/roles.sql
-- The owner migrates; the application serves, and sees the one e-Box that a request is about; the
-- worker tells events, reminds and purges, and sees every e-Box: keep its password away from the
-- web servers. Row-level security binds only roles that are no superuser, may not bypass it and own
-- none of the tables: the registry serves nobody with any other.

CREATE ROLE registry_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE registry_application NOLOGIN;
CREATE ROLE registry_service LOGIN PASSWORD :'application_password' IN ROLE registry_application;
CREATE ROLE registry_worker NOLOGIN;
CREATE ROLE registry_clock LOGIN PASSWORD :'worker_password'
  IN ROLE registry_application, registry_worker;

CREATE DATABASE registry OWNER registry_owner ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE registry FROM PUBLIC;
GRANT CONNECT ON DATABASE registry TO registry_service, registry_clock;

-- A statement that is logged has its parameters beside it, unless this is 0: personal numbers and
-- subjects. Wants a superuser; where there is none, set it for the server, as
-- deploy/runbooks/database.md says.
ALTER DATABASE registry SET log_parameter_max_length = 0;
