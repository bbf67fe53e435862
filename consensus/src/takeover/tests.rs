use super::*;

/// Digits of a probability after the point, rounded down.
fn digits(probability: &Probability, digits: u32) -> String {
    let scaled = probability.numerator() * BigUint::from(10u8).pow(digits) / probability.denominator();
    scaled.to_string()
}

fn fraction(numerator: u64, denominator: u64) -> Probability {
    Probability::new(numerator.into(), denominator.into())
}

/// Computed in Python with fractions.Fraction and math.comb, to 60 digits after the point.
#[test]
fn probabilities_are_those_computed_independently() {
    let cases = [
        (
            (1000, 128, 250),
            "12324531539636045648748660057788525007034738273513253561743",
            "1078833253797669359540502826547931",
        ),
        (
            (1000, 128, 333),
            "506598046775363971312605411040079558940133247623151050505187",
            "37094415067688273188260187040054837867479761",
        ),
        (
            (1_000_000, 128, 250),
            "18212320910162182932462619034425171149096348962406818171755",
            "12644509535498496553371219837574305680",
        ),
        ((200, 128, 250), "91497231260604435627646401037166798776144048585261269540", "0"),
        ((1_000_000, 2048, 250), "15817488161089141253401355883456331665508750", "0"),
    ];
    for ((units, seats, permille), liveness, safety) in cases {
        let takeover = takeover(units, seats, permille, 0);
        assert_eq!(digits(&takeover.liveness_loss, 60), liveness, "{units} {seats} {permille}");
        assert_eq!(digits(&takeover.safety_loss, 60), safety, "{units} {seats} {permille}");
    }
}

/// 100 units of which 30, 10 seats: the fractions themselves, doubled for one reveal.
#[test]
fn small_fractions_are_exact() {
    let takeover = takeover(100, 10, 300, 1);
    assert_eq!(takeover.liveness_loss, fraction(65_033_022, 93_983_785));
    assert_eq!(takeover.safety_loss, fraction(6_049_023, 413_528_654));
}

/// Counts the draws of every subset instead of summing binomials.
#[test]
fn the_tail_is_what_counting_all_draws_gives() {
    for units in 1..=9u32 {
        for (owned, drawn) in (0..=units).flat_map(|owned| (0..=units).map(move |drawn| (owned, drawn))) {
            let draws = || (0u32..1 << units).filter(|draw| draw.count_ones() == drawn);
            for needed in 0..=drawn {
                let lost = draws().filter(|draw| (draw & ((1 << owned) - 1)).count_ones() >= needed).count();
                let expected = fraction(lost as u64, draws().count() as u64);
                assert_eq!(tail(units.into(), owned.into(), drawn, needed), expected);
            }
        }
    }
}

#[test]
fn a_committee_of_four_says_how_weak_it_is() {
    let quarter = takeover(4, 128, 250, 2);
    assert_eq!((quarter.seats, quarter.adversary_units), (4, 1));
    assert_eq!((quarter.stalling_seats, quarter.quorum), (2, 3));
    assert_eq!(
        quarter.to_string(),
        "4 seats drawn from 4 units: 2 stop the chain, 3 take it over; \
         an adversary with 1 of the units does so with probability 0 and 0"
    );
    let half = takeover(4, 128, 500, 0);
    assert!(half.liveness_loss.is_one());
    assert!(half.safety_loss.is_zero());
    assert!(takeover(4, 128, 750, 0).safety_loss.is_one());
}

#[test]
fn a_share_is_rounded_up_to_whole_units() {
    assert_eq!(takeover(3, 128, 250, 0).adversary_units, 1);
    assert!(takeover(3, 128, 250, 0).liveness_loss.is_one());
    assert_eq!(takeover(3, 128, 0, 0).adversary_units, 0);
}

#[test]
fn nobody_in_a_committee_is_a_committee_lost() {
    for takeover in [takeover(0, 128, 250, 0), takeover(4, 0, 250, 0)] {
        assert!(takeover.liveness_loss.is_one() && takeover.safety_loss.is_one());
    }
}

#[test]
fn reveals_double_a_probability_up_to_certainty() {
    let fair = takeover(1_000_000, 128, 250, 0).liveness_loss;
    assert_eq!(takeover(1_000_000, 128, 250, 1).liveness_loss, fair.clone().worsened(1));
    assert!(takeover(1_000_000, 128, 250, 5).liveness_loss < Probability::one());
    assert!(takeover(1_000_000, 128, 250, 8).liveness_loss.is_one());
    assert!(fair.worsened(u32::MAX).is_one());
    assert!(fraction(0, 1).worsened(u32::MAX).is_zero());
}

#[test]
fn the_largest_arguments_are_answered() {
    let takeover = takeover(u64::MAX, 4, 1000, 64);
    assert!(takeover.safety_loss.is_one());
}

#[test]
fn probabilities_print_two_digits() {
    let cases = [
        (fraction(0, 7), "0"),
        (fraction(7, 7), "1"),
        (fraction(8, 7), "1"),
        (fraction(0, 0), "1"),
        (fraction(1, 2), "0.50"),
        (fraction(999, 1000), "1.0"),
        (fraction(62, 100), "0.62"),
        (fraction(1, 10), "0.10"),
        (fraction(996, 10_000), "0.10"),
        (fraction(62, 1000), "0.062"),
        (fraction(62, 10_000), "6.2e-3"),
        (fraction(12, 10_000_000_000), "1.2e-9"),
        (fraction(1249, 1_000_000_000_000), "1.2e-9"),
        (fraction(125, 100_000_000_000), "1.3e-9"),
        (takeover(1_000_000, 128, 250, 0).safety_loss, "1.3e-23"),
        (takeover(1_000_000, 128, 250, 0).liveness_loss, "0.018"),
    ];
    for (probability, expected) in cases {
        assert_eq!(probability.to_string(), expected);
    }
}

#[test]
fn security_is_the_number_of_halvings() {
    let cases =
        [((1, 1), Some(0)), ((3, 4), Some(0)), ((1, 2), Some(1)), ((1, 3), Some(1)), ((1, 1024), Some(10))];
    for ((numerator, denominator), expected) in cases {
        assert_eq!(fraction(numerator, denominator).security_bits(), expected);
    }
    assert_eq!(fraction(1, 1023).security_bits(), Some(9));
    assert_eq!(fraction(0, 1).security_bits(), None);
    assert_eq!(takeover(1_000_000, 128, 250, 0).safety_loss.security_bits(), Some(76));
}

#[test]
fn equal_fractions_are_equal() {
    assert_eq!(fraction(1, 2), fraction(2, 4));
    assert!(fraction(1, 3) < fraction(1, 2));
}
