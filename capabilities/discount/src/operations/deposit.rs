//! `discount.grant_for_deposit`: pure, but for the shop's choices about rounding.

use std::sync::Arc;

use mortise_capability::{Call, Policies, PureOperation, Reply, StoreError};

use crate::contract::{DEPOSIT_COVERS_PRICE, GrantForDepositInput, GrantedForDeposit};
use crate::policy::DiscountPolicy;
use crate::rules;

/// The code of `discount.grant_for_deposit`.
pub(crate) struct GrantForDeposit {
    pub(crate) policies: Arc<Policies>,
}

impl PureOperation for GrantForDeposit {
    type Input = GrantForDepositInput;
    type Output = GrantedForDeposit;

    fn run(&self, calls: &[Call<GrantForDepositInput>]) -> Result<Vec<Reply<GrantedForDeposit>>, StoreError> {
        let grant = |call: &Call<GrantForDepositInput>| {
            let chosen = self.policies.get::<DiscountPolicy>(&call.context.scope);
            let too_large = |_| StoreError::Value("a deposit: a figure is too large for 64 bits".to_owned());
            match rules::grant_for_deposit(&call.input, &chosen.policy).map_err(too_large)? {
                Ok(granted) => {
                    let off = |error| StoreError::Contradiction(format!("the price proof: {error}"));
                    granted.proof.check().map_err(off)?;
                    Ok(Reply::done(granted))
                }
                Err(detail) => Reply::rejected(DEPOSIT_COVERS_PRICE, &detail),
            }
        };
        calls.iter().map(grant).collect()
    }
}
