-- Run once by a database administrator, before `registry database migrate`.
--   psql -v owner_password=… -v application_password=… -f deploy/database/roles.sql
-- The owner migrates; the application serves. Row-level security binds only roles that are no
-- superuser, may not bypass it and own none of the tables: readiness fails for any other.

CREATE ROLE registry_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE registry_application NOLOGIN;
CREATE ROLE registry_service LOGIN PASSWORD :'application_password' IN ROLE registry_application;

CREATE DATABASE registry OWNER registry_owner ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE registry FROM PUBLIC;
GRANT CONNECT ON DATABASE registry TO registry_service;
