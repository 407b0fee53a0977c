"""What a person declared in the config, in the desk's own words."""

from decimal import Decimal

from engine.config import Config
from engine.config.model.allocation import AllocationConfig
from engine.config.model.options import OptionsConfig, Strategy
from engine.config.model.perps import AssignmentManager
from engine.desk.allocation.definitions import AllocationSettings, ParameterSet, ScoreOf
from engine.desk.facts import ConfigApplied
from engine.desk.instruments import Right
from engine.desk.options.definitions import (
    Escalation,
    LegDefinition,
    OptionSettings,
    PartialAssignmentPolicy,
    StrategyDefinition,
)
from engine.desk.perps.definitions import BarrierSettings, CloseOrderType, ManagerSettings


def declared(config: Config) -> ConfigApplied:
    """The fact that puts a config in force."""
    return ConfigApplied(
        armed=config.armed,
        options=None if config.options is None else _options(config.options),
        strategies=_strategies(config.options),
        managers=tuple(_manager(manager) for manager in config.assignment_managers),
        allocation=None if config.allocation is None else _allocation(config.allocation),
    )


def _options(options: OptionsConfig) -> OptionSettings:
    return OptionSettings(
        venue=options.venue,
        auto_close_on_assignment=options.auto_close_on_assignment,
        on_partial_assignment=PartialAssignmentPolicy(options.on_partial_assignment.value),
        close_at_dte=options.close_at_dte,
        reconcile_seconds=float(options.reconcile_seconds),
        missing_leg_seconds=float(options.missing_leg_seconds),
        reprice_seconds=float(options.exit.reprice_seconds),
        max_slippage=options.exit.max_slippage,
        escalate=Escalation(options.exit.escalate.value),
    )


def _strategies(options: OptionsConfig | None) -> tuple[StrategyDefinition, ...]:
    if options is None:
        return ()
    return tuple(_strategy(options.venue, strategy) for strategy in options.strategies)


def _strategy(venue: str, strategy: Strategy) -> StrategyDefinition:
    legs = tuple(
        LegDefinition(
            right=Right(leg.right.value),
            strike=leg.strike,
            expiry=leg.expiry,
            quantity=Decimal(leg.quantity),
        )
        for leg in strategy.legs
    )
    return StrategyDefinition(
        id=strategy.id,
        kind=strategy.kind.value,
        venue=venue,
        account=strategy.venue_account,
        underlying=strategy.underlying,
        legs=legs,
        shares=Decimal(strategy.expected_shares),
    )


def _manager(manager: AssignmentManager) -> ManagerSettings:
    return ManagerSettings(
        venue=manager.venue,
        trading_pairs=() if manager.all_trading_pairs else manager.trading_pairs,
        close_percent=manager.close_percent,
        at_once=manager.time_limit == 0,
        barriers=BarrierSettings(
            stop_loss=manager.stop_loss_pct,
            take_profit=manager.take_profit_pct,
            trailing_activation=manager.trailing_stop_activation_pct,
            trailing_delta=manager.trailing_stop_trailing_delta_pct,
            time_limit_seconds=manager.time_limit or None,
            order_type=CloseOrderType(manager.order_type.value),
            slippage_buffer=manager.slippage_buffer,
            max_order_age_seconds=manager.max_order_age,
            resident_stop=manager.resident_stop,
        ),
    )


def _allocation(allocation: AllocationConfig) -> AllocationSettings:
    return AllocationSettings(
        venue=allocation.venue,
        sets=tuple(
            ParameterSet(
                symbol=one.symbol,
                allocation_percent=one.allocation_percent,
                z_score_threshold=one.z_score_threshold,
                profit_percent=one.profit_percent,
                stop_loss_percent=one.stop_loss_percent,
            )
            for one in allocation.parameter_sets
        ),
        window=allocation.z_score_window,
        interval_seconds=allocation.z_score_interval_seconds,
        score_of=ScoreOf(allocation.z_score_of.value),
        exit_z_score=allocation.z_score_exit,
        scale_to_full=allocation.scale_to_full,
    )
