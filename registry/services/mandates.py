"""Mandates: who may act for another enterprise."""

from dataclasses import dataclass
from typing import Protocol

from registry.domain.access import Caller, Operation, ScopeTable
from registry.domain.errors import PermissionMissing, RegistryError
from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber


class MandateService(Protocol):
    """The federation's knowledge of who may act for whom."""

    def has_mandate(
        self, enterprise: EnterpriseNumber, mandatary: EnterpriseNumber, operation: str = "publish"
    ) -> bool:
        """Tell whether there is a mandate; raises `RegistryError` when nobody can say."""
        ...


@dataclass(frozen=True)
class Mandates:
    """Decides for whom a caller may act; no answer of the federation is a denial (contract 6.16).

    `consultation` is the federation's name for reading an e-Box.
    """

    service: MandateService
    scopes: ScopeTable
    consultation: str

    def may_publish(self, enterprise: EnterpriseNumber, mandator: EnterpriseNumber) -> bool:
        """Tell if the enterprise may publish in the name of the other one."""
        return self._has(enterprise, mandator, "publish")

    def decide_ebox(self, caller: Caller, mandator: EnterpriseNumber) -> Ebox:
        """Give the mandator's e-Box to a representative who may consult it.

        Raises `ScopeMissing`, also when no scope is configured for it, and `PermissionMissing`.
        """
        self.scopes.check(caller, Operation.CONSULT_FOR_ANOTHER)
        enterprise = caller.enterprise
        if enterprise is None or not self._has(enterprise, mandator, self.consultation):
            raise PermissionMissing("There is no mandate to consult this enterprise's e-Box.")
        return Ebox(EboxKind.ENTERPRISE, mandator.digits)

    def _has(
        self, enterprise: EnterpriseNumber, mandator: EnterpriseNumber, operation: str
    ) -> bool:
        try:
            return self.service.has_mandate(enterprise, mandator, operation)
        except RegistryError:
            return False
