#!/bin/bash
# A database and a login role per service. No role may even connect to another's database.
set -euo pipefail
for service in catalogue vouchers portfolio; do
  variable="WAYMARK_${service^^}_PASSWORD"
  psql --set ON_ERROR_STOP=1 --set password="${!variable}" --username postgres <<SQL
CREATE ROLE waymark_${service} LOGIN PASSWORD :'password';
CREATE DATABASE waymark_${service} OWNER waymark_${service};
REVOKE ALL ON DATABASE waymark_${service} FROM PUBLIC;
SQL
done
